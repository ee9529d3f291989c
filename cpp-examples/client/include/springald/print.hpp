/// Tables for people.
#pragma once

#include <cstdint>
#include <string>

namespace arrow {
class Table;
}  // namespace arrow

namespace springald {

/// Draws the first rows of a table, one a line below the columns' names; nulls are empty.
std::string format_table(const arrow::Table& table, std::int64_t rows_max = 20);

}  // namespace springald
