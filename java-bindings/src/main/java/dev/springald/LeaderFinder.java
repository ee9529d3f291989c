package dev.springald;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import springald.etcd.v1.Etcd.AuthenticateRequest;
import springald.etcd.v1.Etcd.AuthenticateResponse;
import springald.etcd.v1.Etcd.KeyValue;
import springald.etcd.v1.Etcd.RangeRequest;
import springald.etcd.v1.Etcd.RangeResponse;
import springald.state.v1.State;

/**
 * Asks etcd which scheduler leads. It looks when it is asked and keeps no connection, because that
 * is seldom: in the beginning, and when a scheduler does not answer or does not lead.
 */
final class LeaderFinder implements SchedulerFinder {
  static final MethodDescriptor<RangeRequest, RangeResponse> RANGE =
      method(
          "etcdserverpb.KV/Range",
          RangeRequest.getDefaultInstance(),
          RangeResponse.getDefaultInstance());
  static final MethodDescriptor<AuthenticateRequest, AuthenticateResponse> AUTHENTICATE =
      method(
          "etcdserverpb.Auth/Authenticate",
          AuthenticateRequest.getDefaultInstance(),
          AuthenticateResponse.getDefaultInstance());
  private static final Metadata.Key<String> TOKEN =
      Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);

  /** What a value begins with that is kept under one key. */
  private static final byte WHOLE = 0;

  private final EtcdAddress etcd;
  private final ByteString key;
  private volatile String trouble = "";

  LeaderFinder(EtcdAddress etcd) {
    this.etcd = etcd;
    this.key = ByteString.copyFromUtf8(etcd.prefix() + "/.values/leader");
  }

  /** Where the scheduler is that leads; nothing if there is none to be found. */
  @Override
  public List<Address> find() {
    for (Address member : etcd.members()) {
      try {
        return ask(member);
      } catch (StatusRuntimeException failure) {
        trouble = ", " + member + " says '" + failure.getStatus().getCode() + "'";
      }
    }
    return List.of();
  }

  /**
   * Waits until one leads.
   *
   * @throws ClusterException.SchedulerUnavailable if none does in time
   */
  List<Address> await(Duration timeMax) {
    Backoff backoff = new Backoff(timeMax);
    while (true) {
      List<Address> found = find();
      if (!found.isEmpty()) {
        return found;
      }
      OptionalLong pauseMs = backoff.nextMs();
      if (pauseMs.isEmpty()) {
        throw ErrorCode.SCHEDULER_UNAVAILABLE.error(
            "etcd knows which scheduler leads: got none at "
                + etcd
                + " within "
                + timeMax.toMillis()
                + " ms"
                + trouble
                + "; check that one runs with its state there");
      }
      Transport.pause(pauseMs.getAsLong());
    }
  }

  private List<Address> ask(Address member) {
    ManagedChannel channel = open(member);
    try {
      Channel known = etcd.user().isEmpty() ? channel : withToken(channel);
      RangeRequest request = RangeRequest.newBuilder().setKey(key).build();
      RangeResponse response = ClientCalls.blockingUnaryCall(known, RANGE, soon(), request);
      trouble = "";
      List<Address> found = new ArrayList<>();
      for (KeyValue each : response.getKvsList()) {
        addAddress(each.getValue(), found);
      }
      return found;
    } finally {
      channel.shutdownNow();
    }
  }

  private ManagedChannel open(Address member) {
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(member.host(), member.port())
            .proxyDetector(target -> null)
            .maxTraceEvents(0);
    return etcd.tls()
        .map(tls -> builder.sslContext(tls.context()))
        .orElseGet(builder::usePlaintext)
        .build();
  }

  private Channel withToken(Channel channel) {
    AuthenticateRequest who =
        AuthenticateRequest.newBuilder().setName(etcd.user()).setPassword(etcd.password()).build();
    Metadata token = new Metadata();
    token.put(TOKEN, ClientCalls.blockingUnaryCall(channel, AUTHENTICATE, soon(), who).getToken());
    return ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(token));
  }

  private static CallOptions soon() {
    return CallOptions.DEFAULT.withDeadlineAfter(
        Limits.ETCD_CALL_MAX.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Reads where the scheduler is that wrote a value; nothing if the value is something else. */
  private static void addAddress(ByteString value, List<Address> found) {
    if (value.isEmpty() || value.byteAt(0) != WHOLE) {
      return;
    }
    try {
      String address = State.Scheduler.parseFrom(value.substring(1)).getAddress();
      if (!address.isEmpty()) {
        found.add(Address.ofServer(address));
      }
    } catch (InvalidProtocolBufferException somethingElse) {
      // Nobody who leads wrote it.
    }
  }

  private static <Q extends Message, A extends Message> MethodDescriptor<Q, A> method(
      String name, Q request, A answer) {
    return MethodDescriptor.<Q, A>newBuilder()
        .setType(MethodDescriptor.MethodType.UNARY)
        .setFullMethodName(name)
        .setRequestMarshaller(ProtoUtils.marshaller(request))
        .setResponseMarshaller(ProtoUtils.marshaller(answer))
        .build();
  }
}
