/// The thread that follows a job on the scheduler, over broken streams, to its end.
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "backoff.hpp"
#include "session.hpp"
#include "springald/scheduler/v1/scheduler.pb.h"

namespace springald {

class JobWatch {
 public:
  using Listener = std::function<void(const scheduler::v1::JobUpdate&)>;

  /// Sends a statement, and follows what becomes of it.
  JobWatch(Session& session, std::string operation_id, plan::v1::Plan plan);
  JobWatch(const JobWatch&) = delete;
  JobWatch& operator=(const JobWatch&) = delete;
  /// Stops following; the job runs on.
  ~JobWatch();

  const std::string& operation_id() const { return operation_id_; }
  /// The latest news; empty before the first.
  scheduler::v1::JobUpdate update() const;
  scheduler::v1::JobStatus status() const;
  /// Why the job, or the following of it, came to a bad end.
  std::optional<error::v1::Error> failure() const;

  /// Why the last stream broke, as long as no other one has told anything.
  std::optional<error::v1::Error> broken() const;

  /// Waits for the first news, or for the failure to get any; false if the time was over.
  bool wait_first(limits::milliseconds timeout) const;
  /// Waits for the end; false if the time was over before.
  bool wait_over(std::optional<limits::milliseconds> timeout) const;

  /// Has a callable told the latest news now, and all later ones by the watching thread.
  void listen(Listener listener);

 private:
  void run(const std::stop_token& stopping);
  /// Reads one stream to its end; says why it broke, or nothing if the job is over.
  std::optional<error::v1::Error> follow_once(const std::stop_token& stopping, Backoff& backoff);
  template <class Reader, class Response>
  std::optional<error::v1::Error> read(Reader& reader, Response response,
                                       grpc::ClientContext& context, const Endpoint& endpoint,
                                       Backoff& backoff);
  std::shared_ptr<grpc::ClientContext> open_context(const std::stop_token& stopping);
  void accept(const scheduler::v1::JobUpdate& update);
  void note_broken(const error::v1::Error& error);
  void fail(error::v1::Error error);
  bool is_over() const;
  bool pause(const std::stop_token& stopping, limits::milliseconds time);
  error::v1::Error typed(error::v1::Error error, bool was_broken) const;

  Session& session_;
  const std::string operation_id_;
  plan::v1::Plan plan_;
  std::string statement_;
  mutable std::mutex lock_;
  mutable std::condition_variable_any changed_;
  scheduler::v1::JobUpdate update_;
  bool heard_ = false;
  std::optional<error::v1::Error> failure_;
  std::optional<error::v1::Error> broken_;
  std::vector<Listener> listeners_;
  std::shared_ptr<grpc::ClientContext> context_;
  std::jthread thread_;  // last: it uses all the others
};

}  // namespace springald
