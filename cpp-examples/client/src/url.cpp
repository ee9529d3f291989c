#include "url.hpp"

#include <regex>

#include "limits.hpp"
#include "springald/error.hpp"

namespace springald {

std::string address_of(std::string_view url) {
  static const std::regex kUrl(
      R"(springald://(\[[0-9A-Fa-f:.]+\]|[^:/?#@\s\[\]]+)(?::(\d{1,5}))?/?)");
  constexpr int kPortMax = 65535;
  if (url.find('@') != std::string_view::npos) {
    // The text before this may be a password, which must not be repeated.
    raise(error::v1::CODE_INVALID_ARGUMENT,
          "a cluster's url has no user or password: got one that has; leave it out");
  }
  std::cmatch parts;
  const bool fits = std::regex_match(url.data(), url.data() + url.size(), parts, kUrl);
  const int port = fits && parts[2].matched ? std::stoi(parts[2].str()) : limits::kPortDefault;
  if (!fits || port == 0 || port > kPortMax) {
    raise(error::v1::CODE_INVALID_ARGUMENT,
          "a cluster's url is springald://host:port: got '" + std::string(url) +
              "'; write for example springald://127.0.0.1:" + std::to_string(limits::kPortDefault));
  }
  return parts[1].str() + ":" + std::to_string(port);
}

}  // namespace springald
