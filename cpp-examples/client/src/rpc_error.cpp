#include "rpc_error.hpp"

#include <array>
#include <regex>

namespace springald {

namespace {

constexpr const char* kErrorTrailer = "springald-error-bin";

struct Explanation {
  const char* pattern;
  const char* why;
  const char* advice;
};

/// What gRPC says of a peer that cannot be reached, and what that means to a person.
constexpr std::array<Explanation, 3> kUnavailable = {{
    {"Connection refused", "a refused connection", "check that it runs, and at this address"},
    {"[Nn]ame or service not known|lookup failed|name resolution|errors? resolving|DNS resolution",
     "a host name that does not resolve", "check the name"},
    {"[Kk]eepalive|ping timeout", "no sign of life on an open connection",
     "its process may be stopped, or the network broken: look at both, then try again"},
}};

error::v1::Error unavailable(const std::string& detail, const std::string& peer) {
  for (const auto& [pattern, why, advice] : kUnavailable) {
    if (std::regex_search(detail, std::regex(pattern))) {
      return make_error(error::v1::CODE_SCHEDULER_UNAVAILABLE,
                        peer + " must be reachable: got " + why + "; " + advice);
    }
  }
  return make_error(
      error::v1::CODE_SCHEDULER_UNAVAILABLE,
      peer + " must be reachable: got '" + detail + "'; check that it runs at this address");
}

error::v1::Error error_from_status(const grpc::Status& status, const std::string& peer,
                                   std::string_view tried) {
  const std::string detail = status.error_message().empty() ? "no detail" : status.error_message();
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return unavailable(detail, peer);
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return make_error(error::v1::CODE_DEADLINE_EXCEEDED,
                        peer + " must answer in time: got no answer" +
                            (tried.empty() ? "" : " to " + std::string(tried)) +
                            "; its process may be stopped or overloaded: look at it and at its "
                            "log, then try again");
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return make_error(error::v1::CODE_MESSAGE_TOO_LARGE,
                        "a message must fit its limit: got '" + detail + "' from " + peer);
    case grpc::StatusCode::CANCELLED:
      return make_error(error::v1::CODE_CANCELLED,
                        "a call to " + peer + " was given up: " + detail);
    case grpc::StatusCode::UNIMPLEMENTED:
      return make_error(
          error::v1::CODE_PROTOCOL_MISMATCH,
          peer + " must know this call: got '" + detail + "'; use the same version on both sides");
    case grpc::StatusCode::INTERNAL:
      return make_error(
          error::v1::CODE_MESSAGE_GARBLED,
          peer + " and this side must understand each other's messages: got '" + detail + "'");
    default:
      return make_error(
          error::v1::CODE_INTERNAL,
          peer + " answered status " + std::to_string(status.error_code()) + ": " + detail);
  }
}

}  // namespace

error::v1::Error error_from_rpc(const grpc::Status& status, const grpc::ClientContext& context,
                                std::string_view peer, std::string_view tried) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find(kErrorTrailer);
  if (found == trailers.end()) return error_from_status(status, std::string(peer), tried);
  error::v1::Error told;
  if (told.ParseFromArray(found->second.data(), static_cast<int>(found->second.size()))) {
    return told;
  }
  return make_error(error::v1::CODE_MESSAGE_GARBLED,
                    "an error must decode: got " + std::to_string(found->second.size()) +
                        " bytes of something else in the trailer " + kErrorTrailer + " of " +
                        std::string(peer));
}

}  // namespace springald
