/// Pauses between tries: each twice the last, up to a limit.
#pragma once

#include <algorithm>
#include <optional>

#include "limits.hpp"

namespace springald {

class Backoff {
 public:
  explicit Backoff(int tries_max) : tries_max_(tries_max) {}

  /// The pause before the next try; nothing after the last one.
  std::optional<limits::milliseconds> next() {
    if (++tried_ >= tries_max_) return std::nullopt;
    const auto pause = wait_;
    wait_ = std::min(wait_ * 2, limits::kBackoffMax);
    return pause;
  }

  /// Begins again, as after good news.
  void reset() { *this = Backoff(tries_max_); }

 private:
  int tries_max_;
  int tried_ = 0;
  limits::milliseconds wait_ = limits::kBackoffFirst;
};

}  // namespace springald
