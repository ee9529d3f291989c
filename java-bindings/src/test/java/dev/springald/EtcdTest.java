package dev.springald;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import springald.etcd.v1.Etcd.AuthenticateResponse;
import springald.etcd.v1.Etcd.KeyValue;
import springald.etcd.v1.Etcd.RangeResponse;
import springald.state.v1.State;

/** Clusters that are found in the etcd in which their schedulers keep their state. */
class EtcdTest {
  private static final Metadata.Key<String> TOKEN =
      Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);

  /** A session opens at the scheduler that leads, whichever member of etcd answers. */
  @Test
  void connectThroughEtcdFindsTheLeader() throws IOException {
    String leader = TestCluster.shared().url().replaceFirst("springald://", "");
    try (OneKey etcd = new OneKey("mine/.values/leader", leader)) {
      String url = "springald+etcd://127.0.0.1:1," + etcd.address() + "/mine";
      try (Session session = Springald.connect(url);
          Result result = session.sql("SELECT 1 AS one").fetch()) {
        assertEquals(1, result.rows().iterator().next().getInt("one"));
        assertEquals("springald://" + leader, session.url());
      }
    }
  }

  /** A scheduler that does not answer is left for the one that leads by then. */
  @Test
  void leaderIsLookedUpAgainWhenItIsGone() throws IOException {
    try (OneKey etcd = new OneKey("springald/.values/leader", "b:2")) {
      LeaderFinder finder = finder(etcd.address());
      Address gone = new Address("a", 1);
      Channels channels = new Channels(ConnectOptions.defaults());
      try (Endpoints endpoints = new Endpoints(List.of(gone), finder, channels)) {
        assertTrue(endpoints.areSeveral());
        Waiting.until(
            "the leader is found",
            () -> {
              endpoints.leave(endpoints.current(), ErrorCode.SCHEDULER_UNAVAILABLE.error("gone"));
              return endpoints.current().address().equals(new Address("b", 2));
            });
      }
    }
  }

  /** Etcd with users is told who asks. */
  @Test
  void userIsToldToEtcd() throws IOException {
    try (OneKey etcd = new OneKey("springald/.values/leader", "b:2")) {
      etcd.password = "se/cret";
      LeaderFinder known = finder("me:se%2Fcret@" + etcd.address());
      assertEquals(List.of(new Address("b", 2)), known.await(Duration.ofSeconds(20)));
      assertEquals(List.of(), finder("me:wrong@" + etcd.address()).find());
      assertEquals(List.of(), finder(etcd.address()).find());
    }
  }

  /** Nobody who leads, or no etcd, is told in time, without a password. */
  @Test
  void nobodyWhoLeadsIsTold() throws IOException {
    try (OneKey etcd = new OneKey("other/.values/leader", "b:2")) {
      LeaderFinder finder = finder("me:secret@" + etcd.address());
      ClusterException.SchedulerUnavailable error =
          assertThrows(
              ClusterException.SchedulerUnavailable.class,
              () -> finder.await(Duration.ofMillis(100)));
      assertTrue(error.getMessage().contains(etcd.address() + "/springald"));
      assertFalse(error.getMessage().contains("secret"));
    }
  }

  /** A URL is read as the Python client reads it. */
  @Test
  void addressesInEtcdAreRead(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("password"), "hidden\n");
    EtcdAddress etcd = EtcdAddress.ofUrl("springald+etcd://me@a:1,b:2/x/y?password_file=" + file);
    assertEquals(List.of(new Address("a", 1), new Address("b", 2)), etcd.members());
    assertEquals("x/y", etcd.prefix());
    assertEquals("me", etcd.user());
    assertEquals("hidden", etcd.password());
    assertTrue(etcd.tls().isEmpty());
    assertTrue(EtcdAddress.ofUrl("springald+etcd://a:1?tls=true").tls().isPresent());
    for (String wrong : List.of("", "a", "me:secret@a", "a:1?what=1", "a:1,b")) {
      CallerException.InvalidArgument error =
          assertThrows(
              CallerException.InvalidArgument.class,
              () -> Springald.connect("springald+etcd://" + wrong));
      assertFalse(error.getMessage().contains("secret"));
    }
  }

  private static LeaderFinder finder(String place) {
    return new LeaderFinder(EtcdAddress.ofUrl("springald+etcd://" + place));
  }

  /** As much of an etcd as clients ask: one key, and a password if there is one. */
  private static final class OneKey implements AutoCloseable {
    private final Server server;
    private volatile String password = "";

    OneKey(String key, String leader) throws IOException {
      State.Scheduler scheduler = State.Scheduler.newBuilder().setAddress(leader).build();
      ByteString value = ByteString.copyFrom(new byte[1]).concat(scheduler.toByteString());
      ServerServiceDefinition keys =
          ServerServiceDefinition.builder("etcdserverpb.KV")
              .addMethod(
                  LeaderFinder.RANGE,
                  ServerCalls.asyncUnaryCall(
                      (request, answer) -> {
                        RangeResponse.Builder found = RangeResponse.newBuilder();
                        if (request.getKey().equals(ByteString.copyFromUtf8(key))) {
                          found.addKvs(KeyValue.newBuilder().setValue(value));
                        }
                        answer.onNext(found.build());
                        answer.onCompleted();
                      }))
              .build();
      ServerServiceDefinition users =
          ServerServiceDefinition.builder("etcdserverpb.Auth")
              .addMethod(
                  LeaderFinder.AUTHENTICATE,
                  ServerCalls.asyncUnaryCall(
                      (request, answer) -> {
                        String token = request.getName() + request.getPassword();
                        answer.onNext(AuthenticateResponse.newBuilder().setToken(token).build());
                        answer.onCompleted();
                      }))
              .build();
      InetSocketAddress anywhere = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
      this.server =
          NettyServerBuilder.forAddress(anywhere)
              .addService(ServerInterceptors.intercept(keys, new Door()))
              .addService(users)
              .build()
              .start();
    }

    String address() {
      return "127.0.0.1:" + server.getPort();
    }

    @Override
    public void close() {
      server.shutdownNow();
    }

    /** Lets in who has the token of the user and the password. */
    private final class Door implements ServerInterceptor {
      @Override
      public <Q, A> ServerCall.Listener<Q> interceptCall(
          ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        if (!password.isEmpty() && !("me" + password).equals(headers.get(TOKEN))) {
          call.close(io.grpc.Status.UNAUTHENTICATED, new Metadata());
          return new ServerCall.Listener<>() {};
        }
        return next.startCall(call, headers);
      }
    }
  }
}
