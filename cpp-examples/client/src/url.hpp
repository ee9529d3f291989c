/// Addresses of clusters as a person writes them.
#pragma once

#include <string>
#include <string_view>

namespace springald {

/// Returns the `host:port` that `springald://host:port` names, or throws CallerError.
std::string address_of(std::string_view url);

}  // namespace springald
