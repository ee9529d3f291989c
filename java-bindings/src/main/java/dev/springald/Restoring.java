package dev.springald;

import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalLong;
import springald.scheduler.v1.Scheduler.AttachJobRequest;
import springald.scheduler.v1.Scheduler.AttachJobResponse;
import springald.scheduler.v1.Scheduler.JobUpdate;
import springald.scheduler.v1.Scheduler.ResultPart;

/** Has lost outputs of a result made again. */
final class Restoring {
  private final Session session;
  private final String operationId;

  Restoring(Session session, String operationId) {
    this.session = session;
    this.operationId = operationId;
  }

  /**
   * Tells the scheduler of lost outputs and waits for the result that has them again. The scheduler
   * bounds how long that may take. Rides through a scheduler that restarts, as the job does.
   *
   * @throws SpringaldException if they cannot be made again
   */
  List<ResultPart> parts(List<String> lost) {
    AttachJobRequest request =
        AttachJobRequest.newBuilder()
            .setSessionId(session.id())
            .setOperationId(operationId)
            .addAllLostTaskIds(lost)
            .build();
    Transport transport = session.transport();
    Backoff backoff = new Backoff(Limits.SCHEDULER_AWAY_MAX);
    while (true) {
      Endpoint endpoint = transport.endpoints().current();
      try {
        return parts(follow(endpoint, request, backoff));
      } catch (SpringaldException broken) {
        OptionalLong pauseMs =
            transport.endpoints().leave(endpoint, broken) ? backoff.nextMs() : OptionalLong.empty();
        if (pauseMs.isEmpty()) {
          throw broken;
        }
        Transport.pause(pauseMs.getAsLong());
      }
    }
  }

  private JobUpdate follow(Endpoint endpoint, AttachJobRequest request, Backoff backoff) {
    Context.CancellableContext call = Context.current().withCancellation();
    Context before = call.attach();
    try {
      Iterator<AttachJobResponse> news = endpoint.calls().attachJob(request);
      while (news.hasNext()) {
        JobUpdate update = news.next().getUpdate();
        backoff.reset();
        if (JobStatus.fromProto(update.getStatus()).isFinal()) {
          return update;
        }
      }
    } catch (StatusRuntimeException failed) {
      throw ErrorCodec.fromRpc(failed, endpoint.peer(), "");
    } finally {
      call.detach(before);
      call.cancel(null);
    }
    throw ErrorCode.SCHEDULER_UNAVAILABLE.error(
        "a job's stream must end with its last status: got the end of the stream of "
            + operationId
            + " before it");
  }

  private List<ResultPart> parts(JobUpdate update) {
    if (update.hasError()) {
      throw ErrorCodec.fromProto(update.getError());
    }
    if (!update.getResult().hasRemote() || update.getResult().getRemote().getPartsCount() == 0) {
      throw ErrorCode.JOB_NOT_FOUND.error(
          "a result is there until it is released: got none of " + operationId);
    }
    return update.getResult().getRemote().getPartsList();
  }
}
