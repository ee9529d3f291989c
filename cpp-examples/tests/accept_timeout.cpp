// Gives a statement so many milliseconds to be accepted, and prints the code of what happens.
//
//   accept_timeout URL MILLISECONDS SQL

#include <chrono>
#include <iostream>
#include <string>

#include "springald/springald.hpp"

int main(int count, char** arguments) {
  if (count != 4) return 2;
  springald::ConnectOptions options;
  options.call_timeout = std::chrono::milliseconds(std::stoi(arguments[2]));
  try {
    const auto connection = springald::connect(arguments[1], options);
    connection.execute(arguments[3]);
    std::cout << "OK\n";
  } catch (const springald::Error& error) {
    std::cout << error.code_name() << "\n";
  }
}
