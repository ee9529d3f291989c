package dev.springald;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Wakes those who wait for room when any call of a channel may have some again, or is over. Arrow
 * Flight lets its clients ask whether there is room, and never tells them.
 */
final class ReadySignal implements ClientInterceptor {
  /** Waits until something is so, looking again at each signal; false if the time was over. */
  synchronized boolean await(BooleanSupplier reached, long timeoutNs) throws InterruptedException {
    long deadline = System.nanoTime() + timeoutNs;
    while (!reached.getAsBoolean()) {
      long leftNs = deadline - System.nanoTime();
      if (leftNs <= 0) {
        return false;
      }
      TimeUnit.NANOSECONDS.timedWait(this, leftNs);
    }
    return true;
  }

  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(
      MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<A> listener, Metadata headers) {
        super.start(new Listening<>(listener), headers);
      }
    };
  }

  private synchronized void signal() {
    notifyAll();
  }

  private final class Listening<A> extends SimpleForwardingClientCallListener<A> {
    Listening(ClientCall.Listener<A> listener) {
      super(listener);
    }

    @Override
    public void onReady() {
      super.onReady();
      signal();
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      super.onClose(status, trailers);
      signal();
    }
  }
}
