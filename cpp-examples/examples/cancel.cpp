// A job in the background: its progress, and its end by cancelling.
//
//   cancel springald://127.0.0.1:50050

#include <chrono>
#include <condition_variable>
#include <iostream>
#include <mutex>

#include "springald/springald.hpp"

namespace {

using namespace std::chrono_literals;

/// Counts pairs for hours.
constexpr const char* kQuery =
    "SELECT count(*) FROM generate_series(1, 10000000) a, generate_series(1, 10000000) b "
    "WHERE a.value * 7 % 1000003 = b.value * 11 % 1000033";

/// Waits until a task of the job runs; false if that takes too long.
bool wait_running(springald::Job& job) {
  struct Seen {
    std::mutex lock;
    std::condition_variable changed;
    bool running = false;
  };
  // Shared with the thread that follows the job, which may outlive this function's patience.
  const auto seen = std::make_shared<Seen>();
  job.on_update([seen](const springald::scheduler::v1::JobUpdate& update) {
    if (update.progress().tasks_running() == 0) return;
    const std::lock_guard guard(seen->lock);
    seen->running = true;
    seen->changed.notify_all();
  });
  std::unique_lock guard(seen->lock);
  return seen->changed.wait_for(guard, 30s, [&] { return seen->running; });
}

void run(const char* url) {
  const auto connection = springald::connect(url);
  auto job = connection.execute(kQuery);
  std::cout << "a task runs: " << (wait_running(job) ? "yes" : "no") << "\n";

  job.cancel("the example is over");
  const auto status = job.wait_for(10s);
  std::cout << "status: " << springald::scheduler::v1::JobStatus_Name(status) << "\n";
  try {
    job.batches();
  } catch (const springald::CallerError& error) {
    std::cout << error.code_name() << ": " << error.message() << "\n";
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: cancel springald://HOST:PORT\n";
    return 2;
  }
  try {
    run(arguments[1]);
  } catch (const springald::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
