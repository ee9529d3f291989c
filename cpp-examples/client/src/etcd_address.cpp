#include "etcd_address.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

#include "springald/error.hpp"

namespace springald {

namespace {

constexpr std::string_view kPrefixDefault = "springald";

/// Returns the parts of a text between separators; none of an empty one.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = text.find(separator);
    if (end != 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return parts;
}

/// Returns what stands before and behind the first of a character; all before it if there is none.
std::pair<std::string_view, std::string_view> cut(std::string_view text, char at) {
  const auto place = text.find(at);
  if (place == std::string_view::npos) return {text, {}};
  return {text.substr(0, place), text.substr(place + 1)};
}

/// Returns a text with each `%41` as the byte that it means.
std::string decoded(std::string_view text) {
  constexpr int kBase = 16;
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned byte = 0;
    const auto digits = text.substr(at + 1, 2);
    const auto* end = digits.data() + digits.size();
    const bool coded = text[at] == '%' && digits.size() == 2 &&
                       std::from_chars(digits.data(), end, byte, kBase).ptr == end;
    plain += coded ? static_cast<char>(byte) : text[at];
    if (coded) at += digits.size();
  }
  return plain;
}

std::string password_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) {
    raise(error::v1::CODE_INVALID_ARGUMENT, "a file of a password can be read: got '" + path + "'");
  }
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  text.erase(0, text.find_first_not_of(" \t\r\n"));
  return text;
}

[[noreturn]] void refuse(std::string_view shown) {
  raise(error::v1::CODE_INVALID_ARGUMENT,
        "a cluster in etcd is named " + std::string(kEtcdScheme) +
            "[USER:PASSWORD@]HOST:PORT[,HOST:PORT...][/PREFIX] (with "
            "?tls=true&ca=FILE&certificate=FILE&key=FILE&password_file=FILE): got '" +
            std::string(kEtcdScheme) + std::string(shown) + "'");
}

std::optional<TlsOptions> tls_of(const std::map<std::string, std::string>& options) {
  const auto given = [&](const char* name) {
    const auto found = options.find(name);
    return found == options.end() ? std::string() : found->second;
  };
  TlsOptions tls{.trusted_certificates = given("ca"),
                 .client_certificate = given("certificate"),
                 .client_key = given("key"),
                 .host_name = {}};
  const bool wanted = given("tls") == "true" || !tls.trusted_certificates.empty() ||
                      !tls.client_certificate.empty();
  return wanted ? std::optional(tls) : std::nullopt;
}

}  // namespace

std::string EtcdAddress::name() const {
  std::string hosts;
  for (const auto& member : members) hosts += (hosts.empty() ? "" : ",") + member;
  return std::string(kEtcdScheme) + hosts + "/" + prefix;
}

EtcdAddress etcd_address_of(std::string_view url) {
  static const std::regex kMember(R"([^\s:]+:\d{1,5}|\[[0-9A-Fa-f:.]+\]:\d{1,5})");
  static const std::set<std::string> kOptions{"tls", "ca", "certificate", "key", "password_file"};
  auto rest = url.substr(kEtcdScheme.size());
  const auto at = rest.rfind('@');
  // What stands before the at sign may be a password.
  const auto who = at == std::string_view::npos ? std::string_view() : rest.substr(0, at);
  if (at != std::string_view::npos) rest.remove_prefix(at + 1);
  const auto [place, query] = cut(rest, '?');
  const auto [hosts, path] = cut(place, '/');
  std::map<std::string, std::string> options;
  for (const auto pair : split(query, '&')) {
    const auto [name, value] = cut(pair, '=');
    if (!kOptions.contains(std::string(name))) refuse(rest);
    options[std::string(name)] = decoded(value);
  }
  const auto [user, password] = cut(who, ':');
  EtcdAddress address{.members = {},
                      .prefix = std::string(path),
                      .user = decoded(user),
                      .password = decoded(password),
                      .tls = tls_of(options)};
  for (const auto member : split(hosts, ',')) {
    if (!std::regex_match(std::string(member), kMember)) refuse(rest);
    address.members.emplace_back(member);
  }
  if (address.members.empty()) refuse(rest);
  while (address.prefix.ends_with('/')) address.prefix.pop_back();
  if (address.prefix.empty()) address.prefix = kPrefixDefault;
  if (options.contains("password_file")) address.password = password_in(options["password_file"]);
  return address;
}

}  // namespace springald
