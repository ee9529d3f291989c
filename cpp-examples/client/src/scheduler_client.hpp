/// Calls to the scheduler over gRPC, with deadlines, tries and typed errors.
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "backoff.hpp"
#include "rpc_error.hpp"
#include "springald/scheduler/v1/scheduler.grpc.pb.h"

namespace springald {

/// A scheduler at an address. Making it connects to nothing yet; the first call does.
class SchedulerClient {
 public:
  using Stub = scheduler::v1::SchedulerService::Stub;
  template <class Request, class Response>
  using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

  explicit SchedulerClient(std::string address);

  const std::string& address() const { return address_; }
  std::string peer() const { return "the scheduler at " + address_; }
  Stub& stub() { return *stub_; }

  /// Makes a call once.
  template <class Request, class Response>
  Response attempt(Method<Request, Response> method, const Request& request,
                   limits::milliseconds timeout) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    Response response;
    const auto status = (stub_.get()->*method)(&context, request, &response);
    if (!status.ok()) {
      const std::string name = Request::descriptor()->name();
      raise(error_from_rpc(status, context, peer(),
                           name.substr(0, name.size() - std::string("Request").size()) +
                               " within " + std::to_string(timeout.count()) + " ms"));
    }
    return response;
  }

  /// Makes a call, again and again for a moment while the scheduler cannot be reached.
  template <class Request, class Response>
  Response call(Method<Request, Response> method, const Request& request,
                limits::milliseconds timeout) {
    Backoff backoff(limits::kCallTriesMax);
    while (true) {
      try {
        return attempt(method, request, timeout);
      } catch (const ClusterError& error) {
        if (error.code() != error::v1::CODE_SCHEDULER_UNAVAILABLE) throw;
        const auto pause = backoff.next();
        if (!pause || closed_within(*pause)) throw;
      }
    }
  }

  /// Has calls that are waiting for their next try give up.
  void close();

 private:
  bool closed_within(limits::milliseconds pause);

  std::string address_;
  std::unique_ptr<Stub> stub_;
  std::mutex closed_lock_;
  std::condition_variable closed_changed_;
  bool closed_ = false;
};

}  // namespace springald
