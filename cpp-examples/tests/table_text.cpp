// Reads a table from stdin as an Arrow stream, and prints it as people see it.
#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>

#include <iostream>
#include <iterator>
#include <string>

#include "springald/print.hpp"

int main() {
  const std::string bytes{std::istreambuf_iterator<char>(std::cin), {}};
  const auto input = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes));
  const auto reader = arrow::ipc::RecordBatchStreamReader::Open(input).ValueOrDie();
  std::cout << springald::format_table(*reader->ToTable().ValueOrDie());
  return 0;
}
