#include "flight_error.hpp"

#include <arrow/flight/types.h>

#include <algorithm>
#include <array>

namespace springald {

namespace {

using arrow::flight::FlightStatusCode;
using arrow::flight::FlightStatusDetail;

constexpr std::size_t kTextBytesMax = 256;

/// Drops the context and the traceback that Flight appends.
std::string first_sentence(const arrow::Status& status) {
  constexpr std::array<std::string_view, 3> kAppended = {". Detail:", ". gRPC client debug context",
                                                         "\n"};
  std::string text = status.message();
  for (const auto appended : kAppended) text.resize(std::min(text.find(appended), text.size()));
  text.resize(std::min(text.size(), kTextBytesMax));
  return text;
}

error::v1::Error error_without_type(const arrow::Status& status, const FlightStatusDetail* detail,
                                    const std::string& server) {
  const std::string said = "'" + first_sentence(status) + "'";
  if (detail != nullptr) {
    switch (detail->code()) {
      case FlightStatusCode::TimedOut:
        return make_error(error::v1::CODE_DEADLINE_EXCEEDED,
                          server + " must answer in time: got " + said);
      case FlightStatusCode::Cancelled:
        return make_error(error::v1::CODE_CANCELLED,
                          "a call to " + server + " was given up: " + said);
      case FlightStatusCode::Unavailable:
        return make_error(error::v1::CODE_FETCH_FAILED, server + " must be reachable: got " + said +
                                                            "; check that its executor runs");
      default:
        return make_error(error::v1::CODE_FETCH_FAILED,
                          server + " must answer to the end: got " + said);
    }
  }
  if (status.IsIOError()) {
    return make_error(error::v1::CODE_FETCH_FAILED,
                      server + " must answer to the end: got " + said);
  }
  if (status.IsCancelled()) {
    return make_error(error::v1::CODE_CANCELLED, "a call to " + server + " was given up: " + said);
  }
  if (status.IsNotImplemented()) {
    return make_error(error::v1::CODE_UNSUPPORTED, server + " must know this call: got " + said);
  }
  if (status.IsOutOfMemory()) {
    return make_error(error::v1::CODE_OUT_OF_MEMORY,
                      "rows from " + server + " must fit into memory: got " + said);
  }
  return make_error(error::v1::CODE_INTERNAL,
                    server + " answered what this side does not expect: " + said);
}

}  // namespace

error::v1::Error error_from_flight(const arrow::Status& status, const std::string& address) {
  const std::string server = "the Flight server at " + address;
  const auto detail = FlightStatusDetail::UnwrapStatus(status);
  const std::string typed = detail == nullptr ? "" : detail->extra_info();
  if (typed.empty()) return error_without_type(status, detail.get(), server);
  error::v1::Error told;
  if (told.ParseFromString(typed)) return told;
  return make_error(error::v1::CODE_MESSAGE_GARBLED, "an error must decode: got " +
                                                         std::to_string(typed.size()) +
                                                         " bytes that do not, from " + server);
}

void check_arrow(const arrow::Status& status, const char* what) {
  if (status.ok()) return;
  const auto code =
      status.IsOutOfMemory() ? error::v1::CODE_OUT_OF_MEMORY : error::v1::CODE_INTERNAL;
  raise(code, std::string(what) + ": got " + status.ToString());
}

}  // namespace springald
