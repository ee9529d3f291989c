package dev.springald;

import io.grpc.stub.StreamObserver;

/** Takes the answers of calls that nobody waits for: what fails here is met again by others. */
class Ignored<T> implements StreamObserver<T> {
  @Override
  public void onNext(T answer) {}

  @Override
  public void onError(Throwable failure) {}

  @Override
  public void onCompleted() {}
}
