#include "result_parts.hpp"

#include <algorithm>

namespace springald {

using scheduler::v1::ResultOutput;

namespace {

std::vector<ResultOutput> outputs_of(const Parts& parts) {
  std::vector<ResultOutput> outputs;
  for (const auto& part : parts) {
    outputs.insert(outputs.end(), part.outputs().begin(), part.outputs().end());
  }
  return outputs;
}

std::string task_of(const ResultOutput& output) {
  return output.task_id().substr(0, output.task_id().find('#'));
}

bool are_same(const ResultOutput& before, const ResultOutput& after) {
  if (before.task_id() == after.task_id()) return true;
  return task_of(before) == task_of(after) && before.rows() == after.rows() &&
         before.digest() != 0 && before.digest() == after.digest();
}

}  // namespace

ResultChanged::ResultChanged(Parts parts)
    : ClusterError(make_error(
          error::v1::CODE_INPUT_LOST,
          "rows of a result that were lost and made again must go on where they broke off: got "
          "others before that; run the query again, or read it as a table")),
      parts_(std::move(parts)) {}

std::optional<std::vector<std::string>> lost_outputs(const error::v1::Error& error,
                                                     const scheduler::v1::ResultPart& part) {
  if (error.code() == error::v1::CODE_TICKET_EXPIRED) return std::vector<std::string>();
  if (part.outputs().empty() || error.fault() != error::v1::FAULT_CLUSTER) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& output : part.outputs()) names.push_back(output.task_id());
  const bool names_one = std::ranges::find(names, error.node_id()) != names.end();
  return names_one ? std::vector<std::string>{error.node_id()} : names;
}

void check_rows_before(const Parts& former, const Parts& now, std::uint64_t rows) {
  const auto before = outputs_of(former);
  const auto after = outputs_of(now);
  for (std::size_t at = 0; rows > 0; ++at) {
    if (at >= std::min(before.size(), after.size())) {
      raise(error::v1::CODE_INTERNAL,
            "a result has the rows that it gave out: got fewer when it was made again");
    }
    if (!are_same(before[at], after[at])) throw ResultChanged(now);
    rows -= std::min(rows, before[at].rows());
  }
}

}  // namespace springald
