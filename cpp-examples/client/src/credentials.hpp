/// Certificates and keys, read once and shown on every connection of a session.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>

#include "springald/connection.hpp"

namespace springald {

/// What connections are encrypted with, or that they are not.
class Credentials {
 public:
  /// Reads the files, or throws CallerError.
  explicit Credentials(const std::optional<TlsOptions>& options);

  bool is_encrypted() const { return is_encrypted_; }
  /// PEM texts; empty where nothing was given.
  const std::string& trusted() const { return trusted_; }
  const std::string& certificate() const { return certificate_; }
  const std::string& key() const { return key_; }
  /// The name that is expected in servers' certificates; empty for the one they are reached by.
  const std::string& host_name() const { return host_name_; }

  std::shared_ptr<grpc::ChannelCredentials> for_channel() const;

 private:
  bool is_encrypted_;
  std::string trusted_;
  std::string certificate_;
  std::string key_;
  std::string host_name_;
};

}  // namespace springald
