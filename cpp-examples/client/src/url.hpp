/// Addresses of clusters as a person writes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace springald {

/// Returns each `host:port` that `springald://host:port,host:port` names, or throws CallerError.
std::vector<std::string> addresses_of(std::string_view url);

}  // namespace springald
