// The C++ client under test: answers the runner's calls until there are no more.

#include <google/protobuf/util/delimited_message_util.h>
#include <unistd.h>

#include <iostream>

#include "handler.hpp"

int main() {
  google::protobuf::io::FileInputStream input(STDIN_FILENO);
  Handler handler;
  while (true) {
    springald::conformance::v1::Call call;
    bool ended = false;
    if (!google::protobuf::util::ParseDelimitedFromZeroCopyStream(&call, &input, &ended)) {
      return ended ? 0 : 1;
    }
    google::protobuf::util::SerializeDelimitedToOstream(handler.answer(call), &std::cout);
    std::cout.flush();
  }
}
