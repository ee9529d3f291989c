/// What every message of this client says or checks.
#pragma once

#include <string>
#include <string_view>

namespace springald {

/// The client's name and version, for logs.
const std::string& client_name();

/// Returns a text that protobuf can carry, or throws CallerError.
std::string checked_text(std::string_view text, const char* what);

}  // namespace springald
