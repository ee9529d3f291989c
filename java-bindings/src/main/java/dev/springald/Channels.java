package dev.springald;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.handler.ssl.SslContext;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Opens the channels of a session, all with the same encryption. */
final class Channels {
  /** Says by warnings with a stack trace what each failed call says by its error. */
  private static final Logger GRPC = Logger.getLogger("io.grpc.internal.ManagedChannelImpl");

  static {
    if (GRPC.getLevel() == null) {
      GRPC.setLevel(Level.SEVERE);
    }
  }

  private final TlsOptions tls;
  private final SslContext context;

  Channels(ConnectOptions options) {
    this.tls = options.tls().orElse(null);
    this.context = tls == null ? null : tls.context();
  }

  /** Where there are several to turn to, silence is noticed sooner. */
  ManagedChannel toScheduler(Address address, boolean areSeveral) {
    long intervalMs =
        areSeveral ? Limits.KEEPALIVE_INTERVAL_OF_SEVERAL_MS : Limits.KEEPALIVE_INTERVAL_MS;
    long answerMsMax =
        areSeveral ? Limits.KEEPALIVE_ANSWER_OF_SEVERAL_MS_MAX : Limits.KEEPALIVE_ANSWER_MS_MAX;
    return builder(address, intervalMs, answerMsMax)
        .maxInboundMessageSize(Limits.MESSAGE_BYTES_MAX)
        .build();
  }

  /** Rows come in messages of any size. */
  ManagedChannel toExecutor(Address address, ReadySignal ready) {
    return builder(address, Limits.FLIGHT_KEEPALIVE_INTERVAL_MS, Limits.KEEPALIVE_ANSWER_MS_MAX)
        .maxInboundMessageSize(Integer.MAX_VALUE)
        .flowControlWindow(Limits.FLIGHT_WINDOW_BYTES)
        .intercept(ready)
        // Rows are only queued for their reader: another thread in between costs a fifth.
        .directExecutor()
        .build();
  }

  private NettyChannelBuilder builder(Address address, long keepaliveMs, long answerMsMax) {
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(address.host(), address.port())
            .keepAliveTime(keepaliveMs, TimeUnit.MILLISECONDS)
            .keepAliveTimeout(answerMsMax, TimeUnit.MILLISECONDS)
            // A cluster is reached directly, whatever proxy the environment names for the web.
            .proxyDetector(target -> null)
            .maxTraceEvents(0);
    if (tls == null) {
      return builder.usePlaintext();
    }
    tls.hostName().ifPresent(builder::overrideAuthority);
    return builder.sslContext(context);
  }
}
