#include "session.hpp"

#include <algorithm>

#include "text.hpp"

namespace springald {

using Stub = scheduler::v1::SchedulerService::Stub;

namespace {

scheduler::v1::OpenSessionResponse open(SchedulerClient& scheduler, const ConnectOptions& options) {
  scheduler::v1::OpenSessionRequest request;
  request.mutable_protocol_version()->set_major(limits::kProtocolMajor);
  request.mutable_protocol_version()->set_minor(limits::kProtocolMinor);
  request.set_client_name(client_name());
  for (const auto& [name, value] : options.settings) {
    auto& setting = *request.add_settings();
    setting.set_name(checked_text(name, "a setting's name"));
    setting.set_value(checked_text(value, "a setting"));
  }
  // One scheduler that refuses is not there; of several, one may be about to lead.
  const bool several = scheduler.endpoints().are_several();
  const Backoff backoff(several ? limits::kElectionMax : limits::milliseconds(0));
  try {
    return scheduler.call(&Stub::OpenSession, request, options.connect_timeout, backoff);
  } catch (const ClusterError& error) {
    if (error.code() != error::v1::CODE_DEADLINE_EXCEEDED) throw;
    raise(error::v1::CODE_SCHEDULER_UNAVAILABLE,
          "a scheduler must answer within " + std::to_string(options.connect_timeout.count()) +
              " ms: got no answer from " + scheduler.address() +
              "; check that one runs at this address, and is not stopped");
  }
}

void check_version(const scheduler::v1::ProtocolVersion& theirs, const std::string& address) {
  if (theirs.major() == limits::kProtocolMajor) return;
  raise(error::v1::CODE_PROTOCOL_MISMATCH,
        "client and scheduler speak one major version of the protocol: got " +
            std::to_string(theirs.major()) + " from " + address + ", " +
            std::to_string(limits::kProtocolMajor) + " here; use the same version on both sides");
}

}  // namespace

Session::Session(const Cluster& cluster, const ConnectOptions& options)
    : Session(cluster, options, Credentials(options.tls)) {}

Session::Session(const Cluster& cluster, const ConnectOptions& options,
                 const Credentials& credentials)
    : options_(options),
      scheduler_(cluster, credentials),
      flight_(options.read_in_place, credentials),
      opened_(open(scheduler_, options)) {
  check_version(opened_.protocol_version(), scheduler_.address());
  keeper_ = std::jthread([this](const std::stop_token& stopping) { keep(stopping); });
}

void Session::check_open() const {
  if (open_) return;
  raise(error::v1::CODE_SESSION_NOT_FOUND, "a session must be open: got one that was closed, at " +
                                               scheduler_.address() + "; connect again");
}

void Session::close() {
  if (!open_.exchange(false)) return;
  keeper_.request_stop();
  if (keeper_.joinable()) keeper_.join();
  scheduler::v1::CloseSessionRequest request;
  request.set_session_id(id());
  try {
    scheduler_.call_briefly(&Stub::CloseSession, request);
  } catch (const Error&) {
    // A scheduler that does not hear this ends the session when its lease is over.
  }
  scheduler_.close();
}

void Session::keep(const std::stop_token& stopping) {
  // A third of the lease, so that two lost signs of life cost nothing.
  const limits::milliseconds lease(opened_.lease_ms());
  const auto interval = lease.count() == 0 ? limits::kSessionKeepInterval
                                           : std::min(limits::kSessionKeepInterval, lease / 3);
  scheduler::v1::KeepSessionRequest request;
  request.set_session_id(id());
  std::unique_lock guard(keep_lock_);
  while (
      !keep_wait_.wait_for(guard, stopping, interval, [&] { return stopping.stop_requested(); })) {
    try {
      scheduler_.call_briefly(&Stub::KeepSession, request);
    } catch (const Error&) {
      // What fails here is met again by the next call that somebody waits for.
    }
  }
}

}  // namespace springald
