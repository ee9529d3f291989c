#include "job_watch.hpp"

#include <utility>

#include "caret.hpp"

namespace springald {

using scheduler::v1::JobStatus;
using scheduler::v1::JobUpdate;

JobWatch::JobWatch(Session& session, std::string operation_id, plan::v1::Plan plan)
    : session_(session),
      operation_id_(std::move(operation_id)),
      plan_(std::move(plan)),
      statement_(plan_.sql().text()) {
  thread_ = std::jthread([this](const std::stop_token& stopping) { run(stopping); });
}

JobWatch::~JobWatch() {
  thread_.request_stop();
  {
    const std::lock_guard guard(lock_);
    if (context_ != nullptr) context_->TryCancel();
  }
  thread_.join();
}

JobUpdate JobWatch::update() const {
  const std::lock_guard guard(lock_);
  return update_;
}

JobStatus JobWatch::status() const {
  const std::lock_guard guard(lock_);
  if (failure_) {
    const bool is_cancelled = failure_->code() == error::v1::CODE_CANCELLED;
    return is_cancelled ? scheduler::v1::JOB_STATUS_CANCELLED : scheduler::v1::JOB_STATUS_FAILED;
  }
  const bool is_known = update_.status() >= scheduler::v1::JOB_STATUS_QUEUED &&
                        update_.status() <= scheduler::v1::JOB_STATUS_CANCELLED;
  return is_known ? update_.status() : scheduler::v1::JOB_STATUS_QUEUED;
}

std::optional<error::v1::Error> JobWatch::failure() const {
  const std::lock_guard guard(lock_);
  return failure_;
}

std::optional<error::v1::Error> JobWatch::broken() const {
  const std::lock_guard guard(lock_);
  return broken_;
}

bool JobWatch::wait_first(limits::milliseconds timeout) const {
  std::unique_lock guard(lock_);
  return changed_.wait_for(guard, timeout, [this] { return heard_ || is_over(); });
}

bool JobWatch::wait_over(std::optional<limits::milliseconds> timeout) const {
  std::unique_lock guard(lock_);
  if (timeout) return changed_.wait_for(guard, *timeout, [this] { return is_over(); });
  changed_.wait(guard, [this] { return is_over(); });
  return true;
}

void JobWatch::listen(Listener listener) {
  std::unique_lock guard(lock_);
  listeners_.push_back(listener);
  const auto update = update_;
  const bool heard = heard_;
  guard.unlock();
  if (heard) listener(update);
}

/// Reads streams until one of them tells the end, with pauses that grow in between.
void JobWatch::run(const std::stop_token& stopping) {
  Backoff backoff(limits::kSchedulerAwayMax);
  bool was_broken = false;
  while (!stopping.stop_requested()) {
    const auto broken = follow_once(stopping, backoff);
    if (!broken) return;
    if (broken->code() != error::v1::CODE_SCHEDULER_UNAVAILABLE &&
        broken->code() != error::v1::CODE_NOT_LEADER) {
      fail(typed(*broken, was_broken));
      return;
    }
    was_broken = true;
    note_broken(*broken);
    const auto wait = backoff.next();
    if (!wait) {
      fail(*broken);
      return;
    }
    pause(stopping, *wait);
  }
  fail(make_error(error::v1::CODE_CANCELLED, "following " + operation_id_ + " was given up"));
}

std::optional<error::v1::Error> JobWatch::follow_once(const std::stop_token& stopping,
                                                      Backoff& backoff) {
  const auto context = open_context(stopping);
  const auto endpoint = session_.scheduler().endpoints().current();
  // Executing again under the same name is safe until the job is known.
  if (!heard_) {
    scheduler::v1::ExecuteRequest request;
    request.set_session_id(session_.id());
    request.set_operation_id(operation_id_);
    *request.mutable_plan() = plan_;
    const auto reader = endpoint->stub().Execute(context.get(), request);
    return read(*reader, scheduler::v1::ExecuteResponse(), *context, *endpoint, backoff);
  }
  scheduler::v1::AttachJobRequest request;
  request.set_session_id(session_.id());
  request.set_operation_id(operation_id_);
  const auto reader = endpoint->stub().AttachJob(context.get(), request);
  return read(*reader, scheduler::v1::AttachJobResponse(), *context, *endpoint, backoff);
}

template <class Reader, class Response>
std::optional<error::v1::Error> JobWatch::read(Reader& reader, Response response,
                                               grpc::ClientContext& context,
                                               const Endpoint& endpoint, Backoff& backoff) {
  bool over = false;
  while (!over && reader.Read(&response)) {
    backoff.reset();
    accept(response.update());
    const std::lock_guard guard(lock_);
    over = is_over();
  }
  // A stream that has told everything is ended, so that no call stays open with the job.
  if (over) context.TryCancel();
  const auto status = reader.Finish();
  if (over) return std::nullopt;
  if (!status.ok()) {
    auto error = error_from_rpc(status, context, endpoint.peer());
    session_.scheduler().endpoints().leave(endpoint, error);
    return error;
  }
  return make_error(error::v1::CODE_SCHEDULER_UNAVAILABLE,
                    "a job's stream must end with its last status: got the end of the stream of " +
                        operation_id_ + " before it");
}

std::shared_ptr<grpc::ClientContext> JobWatch::open_context(const std::stop_token& stopping) {
  auto context = std::make_shared<grpc::ClientContext>();
  const std::lock_guard guard(lock_);
  context_ = context;
  // Whoever stops cancels the context that is here, so one that comes later has to look itself.
  if (stopping.stop_requested()) context->TryCancel();
  return context;
}

void JobWatch::accept(const JobUpdate& update) {
  std::unique_lock guard(lock_);
  update_ = update;
  heard_ = true;
  broken_.reset();
  if (is_final(update.status()) && update.has_error()) {
    failure_ = update.error();
    add_caret(*failure_, statement_);
  }
  const auto listeners = listeners_;
  changed_.notify_all();
  guard.unlock();
  for (const auto& listener : listeners) listener(update);
}

void JobWatch::note_broken(const error::v1::Error& error) {
  const std::lock_guard guard(lock_);
  broken_ = error;
}

void JobWatch::fail(error::v1::Error error) {
  add_caret(error, statement_);
  const std::lock_guard guard(lock_);
  failure_ = std::move(error);
  changed_.notify_all();
}

bool JobWatch::is_over() const { return failure_.has_value() || is_final(update_.status()); }

bool JobWatch::pause(const std::stop_token& stopping, limits::milliseconds time) {
  std::unique_lock guard(lock_);
  return changed_.wait_for(guard, stopping, time, [&] { return stopping.stop_requested(); });
}

/// A scheduler that forgot the job while its stream was broken has restarted without its memory.
error::v1::Error JobWatch::typed(error::v1::Error error, bool was_broken) const {
  const bool forgotten = error.code() == error::v1::CODE_SESSION_NOT_FOUND ||
                         error.code() == error::v1::CODE_JOB_NOT_FOUND;
  if (!(forgotten && was_broken)) return error;
  return make_error(error::v1::CODE_SCHEDULER_RESTARTED,
                    "a scheduler remembers its jobs: got " + Error(error).code_name() + " for " +
                        operation_id_ + " after the stream from " + session_.scheduler().address() +
                        " broke, so it restarted without its memory; connect again and repeat the "
                        "statement");
}

}  // namespace springald
