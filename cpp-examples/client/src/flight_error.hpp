/// Errors over Arrow Flight: the typed error in a Flight error's extra information.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <string>
#include <utility>

#include "springald/error.hpp"

namespace springald {

/// Makes the error that a failed Flight call carries; without one, what Flight knows.
error::v1::Error error_from_flight(const arrow::Status& status, const std::string& address);

/// Throws unless a Flight call succeeded.
inline void check_flight(const arrow::Status& status, const std::string& address) {
  if (!status.ok()) raise(error_from_flight(status, address));
}

/// Returns what a Flight call brought, or throws.
template <class Value>
Value take_flight(arrow::Result<Value> result, const std::string& address) {
  check_flight(result.status(), address);
  return std::move(result).ValueUnsafe();
}

/// Throws unless Arrow did what this side asked of it, which only a bug or lack of memory prevents.
void check_arrow(const arrow::Status& status, const char* what);

/// Returns what Arrow made, or throws.
template <class Value>
Value take_arrow(arrow::Result<Value> result, const char* what) {
  check_arrow(result.status(), what);
  return std::move(result).ValueUnsafe();
}

}  // namespace springald
