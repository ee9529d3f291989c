/// Pauses between tries: each twice the last, up to a limit, until a time is over.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "limits.hpp"

namespace springald {

class Backoff {
 public:
  /// The time runs from the first pause on; a time of 0 allows none.
  explicit Backoff(limits::milliseconds time_max) : time_max_(time_max) {}

  /// The pause before the next try; nothing when the time is over.
  std::optional<limits::milliseconds> next() {
    const auto now = std::chrono::steady_clock::now();
    if (!begun_) end_ = now + time_max_;
    begun_ = true;
    if (now >= end_) return std::nullopt;
    const auto pause = wait_;
    wait_ = std::min(wait_ * 2, limits::kBackoffMax);
    return pause;
  }

  /// Begins again, as after good news.
  void reset() { *this = Backoff(time_max_); }

 private:
  limits::milliseconds time_max_;
  bool begun_ = false;
  std::chrono::steady_clock::time_point end_;
  limits::milliseconds wait_ = limits::kBackoffFirst;
};

}  // namespace springald
