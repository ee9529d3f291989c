/// Which scheduler leads, as etcd says: for clients that were told no scheduler.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "credentials.hpp"
#include "etcd_address.hpp"
#include "limits.hpp"

namespace springald {

/// Asks etcd who leads. It looks when it is asked and keeps no connection, because that is seldom:
/// in the beginning, and when a scheduler does not answer or does not lead. Several threads may use
/// it.
class LeaderFinder {
 public:
  /// Reads the files of the encryption, or throws CallerError.
  explicit LeaderFinder(EtcdAddress etcd);

  /// `host:port` of the scheduler that leads; nothing if there is none to be found.
  std::vector<std::string> find();
  /// Waits until one leads, or throws ClusterError.
  std::vector<std::string> wait(limits::milliseconds time_max);

 private:
  /// Asks one member; nothing if it does not answer.
  std::optional<std::vector<std::string>> ask(const std::string& member);
  void note(const std::string& trouble);

  const EtcdAddress etcd_;
  const Credentials credentials_;
  std::mutex lock_;
  std::string trouble_;
};

}  // namespace springald
