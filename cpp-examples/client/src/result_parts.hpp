/// Parts of a result that are lost on their way: made again by the cluster, and taken up in
/// between.
///
/// A result is one row after the other, whatever parts it comes in. Whoever has given out some rows
/// can go on behind them in parts that were made again, if the outputs up to there are what they
/// were (clause P5.9 of the protocol).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "springald/error.hpp"
#include "springald/scheduler/v1/scheduler.pb.h"

namespace springald {

using Parts = std::vector<scheduler::v1::ResultPart>;

/// Rows that were given out already are others in the result that was made again.
class ResultChanged : public ClusterError {
 public:
  explicit ResultChanged(Parts parts);

  /// The result as it is now, for whoever can begin again.
  const Parts& parts() const { return parts_; }

 private:
  Parts parts_;
};

/// Returns which outputs to ask for again after a part could not be read; nothing if it is no use.
std::optional<std::vector<std::string>> lost_outputs(const error::v1::Error& error,
                                                     const scheduler::v1::ResultPart& part);

/// Throws ResultChanged unless the first rows of a result are what they were.
void check_rows_before(const Parts& former, const Parts& now, std::uint64_t rows);

}  // namespace springald
