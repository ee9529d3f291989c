// Reads the result of each statement twice, and prints the rows and then the code of the refusal.
//
//   read_twice URL SQL...

#include <arrow/api.h>

#include <iostream>
#include <string>

#include "springald/springald.hpp"

int main(int count, char** arguments) {
  if (count < 3) return 2;
  try {
    const auto connection = springald::connect(arguments[1]);
    for (int at = 2; at < count; ++at) {
      auto job = connection.execute(arguments[at]);
      std::cout << job.batches().to_table()->num_rows();
      for (const bool as_table : {false, true}) {
        try {
          const auto rows = as_table ? job.table() : job.batches().to_table();
          std::cout << " " << rows->num_rows();
        } catch (const springald::Error& error) {
          std::cout << " " << error.code_name();
        }
      }
      std::cout << "\n";
    }
  } catch (const springald::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
