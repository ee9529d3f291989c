package dev.springald;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.apache.arrow.vector.BigIntVector;
import org.junit.jupiter.api.Test;
import springald.scheduler.v1.Scheduler.ListExecutorsRequest;
import springald.scheduler.v1.Scheduler.OpenSessionRequest;
import springald.scheduler.v1.Scheduler.OpenSessionResponse;
import springald.scheduler.v1.Scheduler.ProtocolVersion;
import springald.scheduler.v1.SchedulerServiceGrpc.SchedulerServiceBlockingStub;
import springald.scheduler.v1.SchedulerServiceGrpc.SchedulerServiceImplBase;

/** What happens to a client whose cluster goes away. */
class LossTest {
  private static final long ROWS = 2_000_000;
  private static final String LARGE =
      "SELECT value, repeat('x', 100) AS text FROM generate_series(1, " + ROWS + ")";

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

  /** Rows that are lost in the middle come from another executor, each of them once (P5.9). */
  @Test
  void lossOfTheExecutorInTheMiddleOfAResultCostsNoRows() {
    ConnectOptions options = ConnectOptions.builder().readInPlace(false).build();
    try (TestCluster cluster = TestCluster.start();
        Session session = Springald.connect(cluster.url(), options);
        Result result = session.sql(LARGE).fetch()) {
      assertTrue(result.next());
      long rows = 0;
      long sum = 0;
      cluster.order("replace-executors");
      do {
        BigIntVector values = (BigIntVector) result.batch().getVector("value");
        for (int row = 0; row < values.getValueCount(); row++) {
          sum += values.get(row);
        }
        rows += values.getValueCount();
      } while (result.next());
      assertEquals(ROWS, rows);
      assertEquals(ROWS * (ROWS + 1) / 2, sum);
      assertTrue(result.failure().isEmpty());
    }
  }

  /** A call that gets no connection at all says so, and not that it was too slow. */
  @Test
  void callThatReachesNobodySaysThatNobodyIsThere() throws Exception {
    ConnectOptions options = ConnectOptions.builder().callTimeout(Duration.ofMillis(300)).build();
    // The address takes connections and says nothing, so that none is ever complete.
    try (ServerSocket mute = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Transport transport =
            new Transport(List.of(new Address("127.0.0.1", mute.getLocalPort())), null, options)) {
      assertThrows(
          ClusterException.SchedulerUnavailable.class,
          () ->
              transport.call(
                  SchedulerServiceBlockingStub::listExecutors,
                  ListExecutorsRequest.getDefaultInstance(),
                  options.callTimeout(),
                  Duration.ZERO));
    }
  }

  /** A statement that reaches nobody all the time that it waits was not too slow. */
  @Test
  void statementThatReachesNobodySaysThatNobodyIsThere() throws Exception {
    ConnectOptions options = ConnectOptions.builder().callTimeout(Duration.ofMillis(500)).build();
    InetSocketAddress anywhere = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    Server server = NettyServerBuilder.forAddress(anywhere).addService(new Greeter()).build();
    server.start();
    try (Session session =
        Springald.connect("springald://127.0.0.1:" + server.getPort(), options)) {
      server.shutdownNow().awaitTermination();
      Query query = session.sql("SELECT 1");
      assertThrows(ClusterException.SchedulerUnavailable.class, query::execute);
    } finally {
      server.shutdownNow();
    }
  }

  /** Opens sessions, and does nothing else. */
  private static final class Greeter extends SchedulerServiceImplBase {
    @Override
    public void openSession(
        OpenSessionRequest request, StreamObserver<OpenSessionResponse> answer) {
      answer.onNext(
          OpenSessionResponse.newBuilder()
              .setSessionId("s1")
              .setProtocolVersion(ProtocolVersion.newBuilder().setMajor(Limits.PROTOCOL_MAJOR))
              .build());
      answer.onCompleted();
    }
  }

  /** A host that nobody knows is told by an error, and by no warning beside it. */
  @Test
  void connectToAnUnknownHostWarnsOfNothing() {
    Logger logger = Logger.getLogger("io.grpc");
    List<LogRecord> records = Collections.synchronizedList(new ArrayList<>());
    Handler kept =
        new Handler() {
          @Override
          public void publish(LogRecord record) {
            records.add(record);
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    logger.addHandler(kept);
    try {
      assertThrows(
          ClusterException.SchedulerUnavailable.class,
          () -> Springald.connect("springald://no.such.host.invalid:1"));
      assertEquals(List.of(), records.stream().map(LogRecord::getMessage).toList());
    } finally {
      logger.removeHandler(kept);
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
