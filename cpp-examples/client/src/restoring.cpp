#include "restoring.hpp"

#include "session.hpp"
#include "springald/job.hpp"

namespace springald {

namespace {

using scheduler::v1::JobUpdate;

Parts parts_of(const JobUpdate& update, const std::string& operation_id) {
  if (update.has_error()) raise(update.error());
  if (!update.result().has_remote() || update.result().remote().parts().empty()) {
    raise(error::v1::CODE_JOB_NOT_FOUND,
          "a result is there until it is released: got none of " + operation_id);
  }
  const auto& parts = update.result().remote().parts();
  return {parts.begin(), parts.end()};
}

/// Follows the job once; returns its last update, or says why there is none.
std::optional<error::v1::Error> follow(const scheduler::v1::AttachJobRequest& request,
                                       const Endpoint& endpoint, grpc::ClientContext& context,
                                       JobUpdate& update, Backoff& backoff) {
  scheduler::v1::AttachJobResponse response;
  const auto reader = endpoint.stub().AttachJob(&context, request);
  bool over = false;
  while (!over && reader->Read(&response)) {
    backoff.reset();
    update = response.update();
    over = is_final(update.status());
  }
  if (over) context.TryCancel();
  const auto status = reader->Finish();
  if (over) return std::nullopt;
  if (!status.ok()) return error_from_rpc(status, context, endpoint.peer());
  return make_error(error::v1::CODE_SCHEDULER_UNAVAILABLE,
                    "a job's stream must end with its last status: got the end of the stream of " +
                        request.operation_id() + " before it");
}

}  // namespace

Parts restored_parts(Session& session, const std::string& operation_id,
                     const std::vector<std::string>& lost, const CallHolder& hold) {
  scheduler::v1::AttachJobRequest request;
  request.set_session_id(session.id());
  request.set_operation_id(operation_id);
  request.mutable_lost_task_ids()->Add(lost.begin(), lost.end());
  auto& scheduler = session.scheduler();
  Backoff backoff(limits::kSchedulerAwayMax);
  while (true) {
    const auto endpoint = scheduler.endpoints().current();
    const auto context = std::make_shared<grpc::ClientContext>();
    if (!hold(context)) {
      raise(error::v1::CODE_CANCELLED, "reading the rows of " + operation_id + " was given up");
    }
    JobUpdate update;
    const auto broken = follow(request, *endpoint, *context, update, backoff);
    if (!broken) return parts_of(update, operation_id);
    if (!scheduler.endpoints().leave(*endpoint, *broken)) raise(*broken);
    const auto pause = backoff.next();
    if (!pause || scheduler.closed_within(*pause)) raise(*broken);
  }
}

}  // namespace springald
