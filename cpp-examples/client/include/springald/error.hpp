/// Failures as exceptions: one class for whose fault it is, and the contract's code.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "springald/error/v1/error.pb.h"

namespace springald {

/// A place in the SQL text: line and column in characters, both counted from 1.
struct Position {
  std::uint32_t line;
  std::uint32_t column;
  bool operator==(const Position&) const = default;
};

/// Everything that this library throws on purpose. The codes are those of docs/protocol/errors.md.
///
///     try {
///       connection.query("SELECT * FROM nowhere");
///     } catch (const springald::CallerError& error) {
///       if (error.code() == springald::error::v1::CODE_UNKNOWN_TABLE) { ... }
///     }
class Error : public std::runtime_error {
 public:
  explicit Error(error::v1::Error told);

  /// What happened. A number of a later version passes through; go by fault() and retryable() then.
  error::v1::Code code() const;
  /// The code in words, for example `UNKNOWN_TABLE`; `CODE_387` for a number of a later version.
  std::string code_name() const;
  /// Who can do something about it.
  error::v1::Fault fault() const;
  /// True if the same request may succeed later without a change.
  bool retryable() const;
  /// The rule broken, the value, the place, and what to do; for SQL with a caret below the text.
  const std::string& message() const;
  /// The plan node, stage, task or attempt where it happened, or an empty string.
  const std::string& node_id() const;
  /// The place in the SQL text, where known.
  std::optional<Position> position() const;
  /// The executor on which it happened, or an empty string.
  const std::string& executor_id() const;
  /// The engine's own words, unchanged, for a bug report.
  const std::string& engine_message() const;
  /// All of it, as it came.
  const error::v1::Error& proto() const { return *told_; }

 private:
  std::shared_ptr<const error::v1::Error> told_;  // shared, so that copying cannot throw
};

/// The request was wrong: change it and try again.
class CallerError : public Error {
  using Error::Error;
};

/// The data did not fit the request.
class DataError : public Error {
  using Error::Error;
};

/// A machine, a process, the network or a budget gave way.
class ClusterError : public Error {
  using Error::Error;
};

/// Springald or its engine broke a promise: please report it.
class BugError : public Error {
  using Error::Error;
};

/// Throws an error as the class of its fault.
[[noreturn]] void raise(error::v1::Error told);

/// Throws an error that was noticed here.
[[noreturn]] void raise(error::v1::Code code, std::string message);

/// Makes an error that was noticed here; fault and retryable are those of the code.
error::v1::Error make_error(error::v1::Code code, std::string message);

}  // namespace springald
