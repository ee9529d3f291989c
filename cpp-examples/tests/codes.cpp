// Prints what the client knows of every code: number, name, fault, and whether to try again.

#include <iostream>

#include "springald/error.hpp"

int main() {
  namespace contract = springald::error::v1;
  const auto* codes = contract::Code_descriptor();
  for (int at = 0; at < codes->value_count(); ++at) {
    const auto code = static_cast<contract::Code>(codes->value(at)->number());
    if (code == contract::CODE_UNSPECIFIED) continue;
    const springald::Error error(springald::make_error(code, ""));
    const auto fault = contract::Fault_Name(error.fault()).substr(std::string("FAULT_").size());
    std::cout << code << " " << error.code_name() << " ";
    for (const char letter : fault) std::cout << static_cast<char>(std::tolower(letter));
    std::cout << " " << (error.retryable() ? "yes" : "no") << "\n";
  }
}
