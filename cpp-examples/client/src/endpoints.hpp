/// The schedulers of a cluster: which one to ask, and which one when that does not answer.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "credentials.hpp"
#include "springald/error.hpp"
#include "springald/scheduler/v1/scheduler.grpc.pb.h"

namespace springald {

/// Where the schedulers of a cluster are.
struct Cluster {
  /// `host:port` of each that is known, at least one.
  std::vector<std::string> addresses;
  /// Tells where they are now, the one that leads first; nothing if they stay where they are.
  std::function<std::vector<std::string>()> find;
};

/// A channel to one scheduler. Making it connects to nothing yet; the first call does.
class Endpoint {
 public:
  using Stub = scheduler::v1::SchedulerService::Stub;

  /// Where there are `several`, silence is noticed sooner.
  Endpoint(std::string address, const Credentials& credentials, bool several);

  const std::string& address() const { return address_; }
  /// What it is called in errors.
  std::string peer() const { return "the scheduler at " + address_; }
  Stub& stub() const { return *stub_; }

 private:
  std::string address_;
  std::unique_ptr<Stub> stub_;
};

/// The schedulers that are known, of which one is current. Several threads may use it.
class Endpoints {
 public:
  Endpoints(Cluster cluster, Credentials credentials);

  bool are_several() const { return several_; }
  /// The scheduler to ask now. It stays usable when another one becomes current.
  std::shared_ptr<const Endpoint> current() const;
  /// Turns to another scheduler, unless somebody did so meanwhile, if an error says that this one
  /// cannot be reached or does not lead. Returns false if the error says something else.
  bool leave(const Endpoint& endpoint, const error::v1::Error& error);

 private:
  std::shared_ptr<const Endpoint> made_for(const std::string& address);

  const Credentials credentials_;
  const std::function<std::vector<std::string>()> find_;
  const bool several_;
  mutable std::mutex lock_;
  std::vector<std::string> addresses_;
  std::map<std::string, std::shared_ptr<const Endpoint>> made_;
  std::shared_ptr<const Endpoint> current_;
};

}  // namespace springald
