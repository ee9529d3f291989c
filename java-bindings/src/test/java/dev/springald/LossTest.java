package dev.springald;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What happens to a client whose cluster goes away. */
class LossTest {
  private static final String LARGE =
      "SELECT value, repeat('x', 100) AS text FROM generate_series(1, 2000000)";

  /** A scheduler that restarts without its memory is told by an error of its own. */
  @Test
  void restartOfTheSchedulerEndsJobsWithATypedError() {
    try (TestCluster cluster = TestCluster.start();
        Session session = Springald.connect(cluster.url());
        Job job = session.sql(JobTest.ENDLESS).execute()) {
      cluster.order("restart-scheduler");
      assertEquals(JobStatus.FAILED, job.await());
      assertTrue(
          job.error().orElseThrow() instanceof ClusterException.SchedulerRestarted,
          String.valueOf(job.error()));
      assertThrows(ClusterException.SchedulerRestarted.class, session::keep);
    }
  }

  /** Rows that stop in the middle are an error, and never a shorter result. */
  @Test
  void lossOfTheExecutorInTheMiddleOfAResultIsAnError() {
    ConnectOptions options = ConnectOptions.builder().readInPlace(false).build();
    try (TestCluster cluster = TestCluster.start();
        Session session = Springald.connect(cluster.url(), options);
        Result result = session.sql(LARGE).fetch()) {
      assertTrue(result.next());
      cluster.order("kill-executors");
      SpringaldException error =
          assertThrows(
              ClusterException.class,
              () -> {
                while (result.next()) {
                  assertTrue(result.batch().getRowCount() > 0);
                }
              });
      assertEquals("FETCH_FAILED", error.code());
      assertSame(error, result.failure().orElseThrow());
    }
  }

  /** Nobody at the address is told within the timeout. */
  @Test
  void connectToNobodyFailsAtOnce() {
    ConnectOptions options = ConnectOptions.builder().connectTimeout(Duration.ofSeconds(2)).build();
    ClusterException.SchedulerUnavailable error =
        assertThrows(
            ClusterException.SchedulerUnavailable.class,
            () -> Springald.connect("springald://127.0.0.1:1", options));
    assertTrue(error.retryable());
  }
}
