// How long the rows of a table take to this client: prints the seconds of each round.
//
//   fetch_rate URL FOLDER in_place|flight ROUNDS

#include <arrow/record_batch.h>

#include <chrono>
#include <iostream>
#include <string>

#include "springald/springald.hpp"

int main(int count, char** arguments) {
  if (count != 5) return 2;
  springald::ConnectOptions options;
  options.read_in_place = std::string(arguments[3]) == "in_place";
  try {
    const auto connection = springald::connect(arguments[1], options);
    connection.register_files("t", springald::physical::v1::FILE_FORMAT_PARQUET, arguments[2]);
    for (int round = 0; round < std::stoi(arguments[4]); ++round) {
      auto job = connection.execute("SELECT * FROM t");
      job.wait();
      const auto start = std::chrono::steady_clock::now();
      std::int64_t rows = 0;
      for (const auto& batch : job.batches()) rows += batch->num_rows();
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      std::cout << rows << " " << took.count() << std::endl;
    }
  } catch (const springald::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
