// Reads a springald.type.v1.Schema from standard input, makes Arrow's of it, and writes that back.

#include <arrow/type.h>

#include <iostream>

#include "springald/error.hpp"
#include "springald/types.hpp"

int main() {
  springald::type::v1::Schema message;
  if (!message.ParseFromIstream(&std::cin)) return 1;
  try {
    springald::to_proto(*springald::from_proto(message)).SerializeToOstream(&std::cout);
  } catch (const springald::Error& error) {
    std::cout << error.what() << "\n";
  }
}
