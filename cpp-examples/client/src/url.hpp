/// Addresses of clusters as a person writes them.
#pragma once

#include <string_view>

#include "endpoints.hpp"

namespace springald {

/// Returns where the schedulers are that a URL names, `springald://host:port,host:port` or
/// `springald+etcd://host:port/prefix`. Waits in etcd until one leads. Throws Error.
Cluster cluster_of(std::string_view url);

}  // namespace springald
