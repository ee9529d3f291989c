#include "springald/error.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace springald {

namespace {

using error::v1::Code;
using error::v1::Fault;

constexpr std::string_view kCodePrefix = "CODE_";

std::string name_of(Code code) {
  if (code == error::v1::CODE_UNSPECIFIED) return "INTERNAL";
  const std::string name = error::v1::Code_Name(code);
  if (name.empty()) return std::string(kCodePrefix) + std::to_string(code);
  return name.substr(kCodePrefix.size());
}

/// The code, the message, and where it happened; a caret stays below what it points at.
std::string text_of(const error::v1::Error& told) {
  std::string where = told.node_id();
  if (!told.executor_id().empty()) {
    where.append(where.empty() ? "executor " : ", executor ").append(told.executor_id());
  }
  const std::string& message = told.message();
  const auto line_end = std::min(message.find('\n'), message.size());
  std::string text = "[";
  text.append(name_of(told.code())).append("] ").append(message, 0, line_end);
  if (!where.empty()) text.append(" (at ").append(where).append(")");
  return text.append(message, line_end);
}

Fault fault_of(Code code) {
  switch (code / 100) {
    case 1:
      return error::v1::FAULT_CALLER;
    case 2:
      return error::v1::FAULT_DATA;
    case 3:
      return error::v1::FAULT_CLUSTER;
    default:
      return error::v1::FAULT_BUG;
  }
}

bool is_retryable(Code code) {
  static const std::set<Code> kRetryable = {
      error::v1::CODE_TICKET_EXPIRED,
      error::v1::CODE_FILE_CHANGED,
      error::v1::CODE_NO_EXECUTOR,
      error::v1::CODE_EXECUTOR_LOST,
      error::v1::CODE_TASK_LOST,
      error::v1::CODE_OUT_OF_DISK,
      error::v1::CODE_FETCH_FAILED,
      error::v1::CODE_INPUT_LOST,
      error::v1::CODE_SCHEDULER_UNAVAILABLE,
      error::v1::CODE_SCHEDULER_RESTARTED,
      error::v1::CODE_DEADLINE_EXCEEDED,
      error::v1::CODE_OVERLOADED,
      error::v1::CODE_IO_FAILED,
      error::v1::CODE_NOT_LEADER,
  };
  return kRetryable.contains(code);
}

}  // namespace

Error::Error(error::v1::Error told)
    : std::runtime_error(text_of(told)),
      told_(std::make_shared<const error::v1::Error>(std::move(told))) {}

Code Error::code() const {
  return told_->code() == error::v1::CODE_UNSPECIFIED ? error::v1::CODE_INTERNAL : told_->code();
}

std::string Error::code_name() const { return name_of(told_->code()); }

Fault Error::fault() const {
  const bool known =
      told_->fault() >= error::v1::FAULT_CALLER && told_->fault() <= error::v1::FAULT_BUG;
  return known ? told_->fault() : error::v1::FAULT_BUG;
}

bool Error::retryable() const { return told_->retryable(); }

const std::string& Error::message() const { return told_->message(); }

const std::string& Error::node_id() const { return told_->node_id(); }

std::optional<Position> Error::position() const {
  if (!told_->has_position()) return std::nullopt;
  return Position{told_->position().line(), told_->position().column()};
}

const std::string& Error::executor_id() const { return told_->executor_id(); }

const std::string& Error::engine_message() const { return told_->engine_message(); }

void raise(error::v1::Error told) {
  switch (told.fault()) {
    case error::v1::FAULT_CALLER:
      throw CallerError(std::move(told));
    case error::v1::FAULT_DATA:
      throw DataError(std::move(told));
    case error::v1::FAULT_CLUSTER:
      throw ClusterError(std::move(told));
    default:
      throw BugError(std::move(told));
  }
}

void raise(Code code, std::string message) { raise(make_error(code, std::move(message))); }

error::v1::Error make_error(Code code, std::string message) {
  error::v1::Error made;
  made.set_code(code);
  made.set_fault(fault_of(code));
  made.set_retryable(is_retryable(code));
  made.set_message(std::move(message));
  return made;
}

}  // namespace springald
