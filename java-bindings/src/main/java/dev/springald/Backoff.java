package dev.springald;

import java.time.Duration;
import java.util.OptionalLong;

/** Pauses between tries: each twice the last, up to a limit, until a time is over. */
final class Backoff {
  private final long timeMaxNs;
  private boolean begun;
  private long endNs;
  private long pauseMs;

  /** The time runs from the first pause on; a time of zero allows none. */
  Backoff(Duration timeMax) {
    this.timeMaxNs = timeMax.toNanos();
    reset();
  }

  /** The pause before the next try, in milliseconds; nothing when the time is over. */
  OptionalLong nextMs() {
    if (!begun) {
      begun = true;
      endNs = System.nanoTime() + timeMaxNs;
    }
    if (endNs - System.nanoTime() <= 0) {
      return OptionalLong.empty();
    }
    long pause = pauseMs;
    pauseMs = Math.min(2 * pauseMs, Limits.BACKOFF_MS_MAX);
    return OptionalLong.of(pause);
  }

  /** Begins again, as after good news. */
  void reset() {
    begun = false;
    pauseMs = Limits.BACKOFF_FIRST_MS;
  }
}
