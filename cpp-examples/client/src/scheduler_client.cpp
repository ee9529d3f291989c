#include "scheduler_client.hpp"

namespace springald {

void SchedulerClient::close() {
  {
    const std::lock_guard guard(closed_lock_);
    closed_ = true;
  }
  closed_changed_.notify_all();
}

bool SchedulerClient::closed_within(limits::milliseconds pause) {
  std::unique_lock guard(closed_lock_);
  return closed_changed_.wait_for(guard, pause, [this] { return closed_; });
}

}  // namespace springald
