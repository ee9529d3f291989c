package dev.springald;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Jobs: followed, stopped and asked about. */
class JobTest {
  static final String ENDLESS =
      "SELECT sum(a.value * b.value) AS s FROM generate_series(1, 1000000) AS a"
          + " CROSS JOIN generate_series(1, 1000000) AS b";

  private Session session;

  @BeforeEach
  void connect() {
    ConnectOptions options =
        ConnectOptions.builder().setting("springald.distribution", "always").build();
    session = Springald.connect(TestCluster.shared().url(), options);
    for (String table : List.of("lineitem", "orders")) {
      session.registerParquet(table, TestCluster.shared().table(table));
    }
  }

  @AfterEach
  void close() {
    assertEquals(0, session.allocator().getAllocatedMemory());
    session.close();
  }

  /** A job tells its progress to its end, and what it did when it is over. */
  @Test
  void executeOfAQueryTellsProgressAndStatistics() {
    String sql =
        "SELECT o_orderpriority, count(*) AS n FROM orders JOIN lineitem ON o_orderkey = l_orderkey"
            + " GROUP BY o_orderpriority";
    ConcurrentLinkedQueue<Progress> told = new ConcurrentLinkedQueue<>();
    try (Job job = session.sql(sql).execute()) {
      job.onProgress(told::add);
      assertEquals(JobStatus.SUCCEEDED, job.await());
      assertEquals(1.0, job.progress().fraction());
      assertFalse(told.isEmpty());
      assertTrue(job.error().isEmpty());
      JobStatistics did = job.statistics();
      assertEquals(job.id(), did.jobId());
      assertTrue(did.stages().size() > 1, did.toString());
      assertEquals(5, did.stages().get(did.stages().size() - 1).rowsOut());
      assertTrue(did.bytesShuffled() > 0);
      assertEquals(
          did.tasks().size(),
          did.tasksPerExecutor().values().stream().mapToInt(Integer::intValue).sum());
      try (Result result = job.result()) {
        int rows = 0;
        for (Row row : result.rows()) {
          rows += row.size() - 1;
        }
        assertEquals(5, rows);
      }
    }
  }

  /** A listener that fails harms nobody. */
  @Test
  void onProgressWithAListenerThatThrowsChangesNothing() {
    Logger.getLogger(JobWatch.class.getName()).setLevel(Level.OFF);
    try (Job job = session.sql("SELECT count(*) FROM lineitem").execute()) {
      job.onProgress(
          progress -> {
            throw new IllegalStateException("mine");
          });
      assertEquals(JobStatus.SUCCEEDED, job.await());
    }
  }

  /** A job that is cancelled ends as such, with the reason for whoever waits. */
  @Test
  void cancelStopsTheJobAndTellsWhy() {
    try (Job job = session.sql(ENDLESS).execute()) {
      assertFalse(job.await(Duration.ofMillis(1)));
      job.cancel("enough of it");
      assertEquals(JobStatus.CANCELLED, job.await());
      CallerException.Cancelled error =
          assertThrows(CallerException.Cancelled.class, () -> job.result());
      assertTrue(error.getMessage().contains("enough of it"), error.getMessage());
    }
  }

  /** Closing a job that runs stops it on the cluster. */
  @Test
  void closeOfARunningJobStopsIt() {
    Job job = session.sql(ENDLESS).execute();
    Waiting.until("it runs", () -> job.status() == JobStatus.RUNNING);
    String id = job.id();
    job.close();
    Waiting.until(
        "nobody runs it",
        () ->
            session.jobs().stream()
                .filter(listed -> listed.id().equals(id))
                .allMatch(listed -> listed.status() == JobStatus.CANCELLED));
  }

  /** A query that takes longer than its timeout is cancelled. */
  @Test
  void fetchWithATimeoutCancelsWhatTakesLonger() {
    Query query = session.sql(ENDLESS).withTimeout(Duration.ofMillis(200));
    assertThrows(ClusterException.DeadlineExceeded.class, query::fetch);
    Waiting.until(
        "nothing runs",
        () -> session.jobs().stream().allMatch(listed -> listed.status().isFinal()));
  }

  /** Interrupting the thread that waits cancels the job. */
  @Test
  void interruptOfAWaitingThreadCancelsTheJob() throws InterruptedException {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    CountDownLatch waits = new CountDownLatch(1);
    Thread waiting =
        new Thread(
            () -> {
              try (Job job = session.sql(ENDLESS).execute()) {
                waits.countDown();
                job.await();
              } catch (SpringaldException error) {
                thrown.set(error);
              }
            });
    waiting.start();
    waits.await();
    waiting.interrupt();
    waiting.join();
    assertTrue(thrown.get() instanceof CallerException.Cancelled, String.valueOf(thrown.get()));
    Waiting.until(
        "nothing runs",
        () -> session.jobs().stream().allMatch(listed -> listed.status().isFinal()));
  }

  /** A job can be stopped by its id from another session, and is listed there. */
  @Test
  void cancelJobOfAnotherSessionStopsIt() {
    try (Session operator = Springald.connect(TestCluster.shared().url());
        Job job = session.sql(ENDLESS).execute()) {
      String id = job.id();
      assertTrue(operator.jobs().isEmpty());
      JobInfo listed =
          operator.jobsOfAllSessions(1000).stream()
              .filter(each -> each.id().equals(id))
              .findAny()
              .orElseThrow();
      assertEquals(session.id(), listed.sessionId());
      assertEquals(job.operationId(), listed.operationId());
      operator.cancelJob(id, "by an operator");
      assertEquals(JobStatus.CANCELLED, job.await());
      assertThrows(CallerException.JobNotFound.class, () -> operator.cancelJob("j999999", ""));
    }
  }

  /** The executors are listed with their slots. */
  @Test
  void executorsAreListed() {
    List<ExecutorInfo> executors = session.executors();
    assertEquals(2, executors.size());
    assertEquals(2, executors.stream().mapToInt(ExecutorInfo::slots).sum());
    assertNotEquals(executors.get(0).id(), executors.get(1).id());
  }

  /** A failing task's error names the task, the executor, and has its code. */
  @Test
  void errorOfATaskTellsWhereItHappened() {
    String sql = "SELECT CAST(o_comment AS INT) AS n FROM orders";
    try (Job job = session.sql(sql).execute()) {
      DataException.CastFailed error =
          assertThrows(DataException.CastFailed.class, () -> job.result());
      assertTrue(error.nodeId().startsWith(job.id() + "/s"), error.nodeId());
      assertTrue(error.executorId().startsWith("executor-"), error.executorId());
      assertEquals(Fault.DATA, error.fault());
      assertEquals(JobStatus.FAILED, job.status());
    }
  }
}
