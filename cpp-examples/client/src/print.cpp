#include "springald/print.hpp"

#include <arrow/scalar.h>
#include <arrow/table.h>

#include <algorithm>
#include <vector>

#include "flight_error.hpp"

namespace springald {

namespace {

using Column = std::vector<std::string>;

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](unsigned char byte) { return (byte & 0xC0U) != 0x80U; }));
}

/// A value on one line: bytes in base 16, control characters as a space.
std::string text_of(const arrow::Scalar& value) {
  if (!value.is_valid) {
    return "";
  }
  if (value.type->id() == arrow::Type::DICTIONARY) {
    const auto& encoded = static_cast<const arrow::DictionaryScalar&>(value);
    return text_of(*take_arrow(encoded.GetEncodedValue(), "a cell"));
  }
  const auto kind = value.type->id();
  if (kind == arrow::Type::BINARY || kind == arrow::Type::LARGE_BINARY ||
      kind == arrow::Type::BINARY_VIEW || kind == arrow::Type::FIXED_SIZE_BINARY) {
    return static_cast<const arrow::BaseBinaryScalar&>(value).value->ToHexString();
  }
  std::string text = value.ToString();
  std::ranges::replace_if(text, [](unsigned char byte) { return byte < 0x20U; }, ' ');
  return text;
}

Column cells_of(const arrow::Field& field, const arrow::ChunkedArray& values, std::int64_t rows) {
  Column cells = {field.name()};
  for (std::int64_t row = 0; row < rows; ++row) {
    cells.push_back(text_of(*take_arrow(values.GetScalar(row), "a cell")));
  }
  return cells;
}

bool is_number(const arrow::DataType& type) {
  return arrow::is_numeric(type.id()) || arrow::is_decimal(type.id());
}

std::string padded(const std::string& text, std::size_t width, bool to_the_right) {
  const std::string space(width - width_of(text), ' ');
  return to_the_right ? space + text : text + space;
}

}  // namespace

std::string format_table(const arrow::Table& table, std::int64_t rows_max) {
  const std::int64_t rows = std::min(table.num_rows(), rows_max);
  std::vector<std::string> lines(static_cast<std::size_t>(rows) + 2);
  for (int at = 0; at < table.num_columns(); ++at) {
    const auto cells = cells_of(*table.field(at), *table.column(at), rows);
    const auto width = std::ranges::max(cells, {}, width_of);
    const bool to_the_right = is_number(*table.field(at)->type());
    const std::string gap = at == 0 ? "" : "  ";
    lines[0] += gap + padded(cells[0], width_of(width), to_the_right);
    lines[1] += gap + std::string(width_of(width), '-');
    for (std::size_t row = 1; row < cells.size(); ++row) {
      lines[row + 1] += gap + padded(cells[row], width_of(width), to_the_right);
    }
  }
  std::string drawn;
  for (auto& line : lines) {
    line.erase(line.find_last_not_of(' ') + 1);
    drawn += line + "\n";
  }
  if (rows < table.num_rows()) {
    drawn += "... " + std::to_string(table.num_rows() - rows) + " more rows\n";
  }
  return drawn;
}

}  // namespace springald
