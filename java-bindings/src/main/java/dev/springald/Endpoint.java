package dev.springald;

import io.grpc.ManagedChannel;
import springald.scheduler.v1.SchedulerServiceGrpc;
import springald.scheduler.v1.SchedulerServiceGrpc.SchedulerServiceBlockingStub;
import springald.scheduler.v1.SchedulerServiceGrpc.SchedulerServiceStub;

/** A channel to one scheduler; it connects with its first call. */
record Endpoint(Address address, ManagedChannel channel) {
  /** What it is called in errors. */
  String peer() {
    return "the scheduler at " + address;
  }

  /** The stub for calls that wait. */
  SchedulerServiceBlockingStub calls() {
    return SchedulerServiceGrpc.newBlockingStub(channel);
  }

  /** The stub for calls that stream, or that nobody waits for. */
  SchedulerServiceStub streams() {
    return SchedulerServiceGrpc.newStub(channel);
  }
}
