/// Calls to the scheduler over gRPC, with deadlines, tries and typed errors.
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backoff.hpp"
#include "endpoints.hpp"
#include "rpc_error.hpp"

namespace springald {

/// The schedulers of a cluster, of which one leads. Calls are made again while none can be reached,
/// and made elsewhere where one says that another leads.
class SchedulerClient {
 public:
  using Stub = Endpoint::Stub;
  template <class Request, class Response>
  using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

  SchedulerClient(Cluster cluster, Credentials credentials)
      : endpoints_(std::move(cluster), std::move(credentials)) {}

  /// Where the scheduler is that is asked now.
  std::string address() const { return endpoints_.current()->address(); }
  Endpoints& endpoints() { return endpoints_; }

  /// Makes a call, again and again as long as there are pauses and nobody answers it.
  template <class Request, class Response>
  Response call(Method<Request, Response> method, const Request& request,
                limits::milliseconds timeout,
                Backoff backoff = Backoff(limits::kSchedulerAwayMax)) {
    bool redirected = false;
    while (true) {
      const auto endpoint = endpoints_.current();
      try {
        return attempt(*endpoint, method, request, timeout);
      } catch (const ClusterError& error) {
        if (!endpoints_.leave(*endpoint, error.proto())) throw;
        // The leader is asked at once, but two that each name the other are not asked for ever.
        redirected = !redirected && !error.proto().leader_address().empty();
        if (redirected) continue;
        const auto pause = backoff.next();
        if (!pause || closed_within(*pause)) throw;
      }
    }
  }

  /// Makes a call that nobody waits for.
  template <class Request, class Response>
  Response call_briefly(Method<Request, Response> method, const Request& request) {
    return call(method, request, limits::kCloseMax, Backoff(limits::milliseconds(0)));
  }

  /// Has calls that are waiting for their next try give up.
  void close();
  /// Waits; true if nobody wants to go on.
  bool closed_within(limits::milliseconds pause);

 private:
  template <class Request, class Response>
  Response attempt(const Endpoint& endpoint, Method<Request, Response> method,
                   const Request& request, limits::milliseconds timeout) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    Response response;
    const auto status = (endpoint.stub().*method)(&context, request, &response);
    if (!status.ok()) {
      const std::string name = Request::descriptor()->name();
      raise(error_from_rpc(status, context, endpoint.peer(),
                           name.substr(0, name.size() - std::string("Request").size()) +
                               " within " + std::to_string(timeout.count()) + " ms"));
    }
    return response;
  }

  Endpoints endpoints_;
  std::mutex closed_lock_;
  std::condition_variable closed_changed_;
  bool closed_ = false;
};

}  // namespace springald
