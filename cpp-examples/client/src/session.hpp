/// A session from the client's side: what it is called, and the thread that keeps it alive.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "flight_connections.hpp"
#include "scheduler_client.hpp"
#include "springald/connection.hpp"

namespace springald {

class Session {
 public:
  /// Opens a session at the scheduler that leads.
  Session(const Cluster& cluster, const ConnectOptions& options);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { close(); }

  const std::string& id() const { return opened_.session_id(); }
  const std::string& scheduler_version() const { return opened_.scheduler_version(); }
  const ConnectOptions& options() const { return options_; }
  SchedulerClient& scheduler() { return scheduler_; }
  FlightConnections& flight() { return flight_; }

  bool is_open() const { return open_; }
  /// Throws SESSION_NOT_FOUND if the session was closed from this side.
  void check_open() const;

  /// Ends the session and all it holds; closing again does nothing.
  void close();

  /// Makes a call that belongs to the session.
  template <class Request, class Response>
  Response call(SchedulerClient::Method<Request, Response> method, const Request& request) {
    check_open();
    return scheduler_.call(method, request, options_.call_timeout);
  }

 private:
  Session(const Cluster& cluster, const ConnectOptions& options, const Credentials& credentials);
  void keep(const std::stop_token& stopping);

  ConnectOptions options_;
  SchedulerClient scheduler_;
  FlightConnections flight_;
  scheduler::v1::OpenSessionResponse opened_;
  std::atomic<bool> open_ = true;
  std::mutex keep_lock_;
  std::condition_variable_any keep_wait_;
  std::jthread keeper_;
};

}  // namespace springald
