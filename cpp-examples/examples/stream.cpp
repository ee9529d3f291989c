// A large result, batch by batch: a few batches are in memory at a time, however long it is.
//
//   stream springald://127.0.0.1:50050 [SQL]
//
// Without SQL of your own, 40 million rows of 8 bytes are read: 320 MB.

#include <arrow/api.h>

#include <iostream>

#include "springald/springald.hpp"

namespace {

constexpr const char* kQuery = "SELECT value FROM generate_series(1, 40000000)";
constexpr std::int64_t kMemoryMax = 128 << 20;

void run(const char* url, const char* query) {
  const auto connection = springald::connect(url);
  auto job = connection.execute(query);

  std::int64_t rows = 0;
  for (const auto& batch : job.batches()) rows += batch->num_rows();

  const bool was_bounded = arrow::default_memory_pool()->max_memory() < kMemoryMax;
  std::cout << rows << " rows\n"
            << "less than 128 MiB at a time: " << (was_bounded ? "yes" : "no") << "\n";
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2 && count != 3) {
    std::cerr << "usage: stream springald://HOST:PORT [SQL]\n";
    return 2;
  }
  try {
    run(arguments[1], count == 3 ? arguments[2] : kQuery);
  } catch (const springald::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
