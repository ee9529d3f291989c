/// The etcd in which the schedulers of a cluster keep their state, as a person names it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "springald/connection.hpp"

namespace springald {

inline constexpr std::string_view kEtcdScheme = "springald+etcd://";

/// Where an etcd is, and how it is spoken to.
struct EtcdAddress {
  /// `host:port` of each member that is to be asked.
  std::vector<std::string> members;
  /// Below which the schedulers keep their state.
  std::string prefix;
  /// The user's name, empty for none, and the password, which is never shown.
  std::string user;
  std::string password;
  /// How connections to it are encrypted, if they are.
  std::optional<TlsOptions> tls;

  /// What it is called in errors; without the password.
  std::string name() const;
};

/// Reads a URL that begins with `kEtcdScheme`, or throws CallerError.
EtcdAddress etcd_address_of(std::string_view url);

}  // namespace springald
