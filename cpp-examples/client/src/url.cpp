#include "url.hpp"

#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "leader_finder.hpp"
#include "limits.hpp"
#include "springald/error.hpp"

namespace springald {

namespace {

constexpr std::string_view kScheme = "springald://";

[[noreturn]] void refuse(std::string_view url) {
  raise(error::v1::CODE_INVALID_ARGUMENT,
        "a cluster's url is springald://host:port: got '" + std::string(url) +
            "'; write for example springald://127.0.0.1:" + std::to_string(limits::kPortDefault));
}

/// Returns the `host:port` of one scheduler; `url` is for people.
std::string address_of(const std::string& server, std::string_view url) {
  static const std::regex kServer(R"((\[[0-9A-Fa-f:.]+\]|[^:/?#@\s\[\]]+)(?::(\d{1,5}))?)");
  constexpr int kPortMax = 65535;
  std::smatch parts;
  if (!std::regex_match(server, parts, kServer)) refuse(url);
  const int port = parts[2].matched ? std::stoi(parts[2].str()) : limits::kPortDefault;
  if (port == 0 || port > kPortMax) refuse(url);
  return parts[1].str() + ":" + std::to_string(port);
}

/// Returns each `host:port` that `springald://host:port,host:port` names.
std::vector<std::string> addresses_of(std::string_view url) {
  if (url.find('@') != std::string_view::npos) {
    // The text before this may be a password, which must not be repeated.
    raise(error::v1::CODE_INVALID_ARGUMENT,
          "a cluster's url has no user or password: got one that has; leave it out");
  }
  if (!url.starts_with(kScheme)) refuse(url);
  std::string_view rest = url.substr(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  std::vector<std::string> addresses;
  while (true) {
    const auto comma = rest.find(',');
    addresses.push_back(address_of(std::string(rest.substr(0, comma)), url));
    if (comma == std::string_view::npos) return addresses;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace

Cluster cluster_of(std::string_view url) {
  if (!url.starts_with(kEtcdScheme)) return {.addresses = addresses_of(url), .find = {}};
  const auto finder = std::make_shared<LeaderFinder>(etcd_address_of(url));
  return {.addresses = finder->wait(limits::kElectionMax),
          .find = [finder] { return finder->find(); }};
}

}  // namespace springald
