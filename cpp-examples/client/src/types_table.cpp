#include "types_table.hpp"

#include <vector>

namespace springald {

namespace {

const std::vector<std::pair<type::v1::SimpleType, TypePtr>>& simple_types() {
  static const std::vector<std::pair<type::v1::SimpleType, TypePtr>> kTypes = {
      {type::v1::SIMPLE_TYPE_NULL, arrow::null()},
      {type::v1::SIMPLE_TYPE_BOOL, arrow::boolean()},
      {type::v1::SIMPLE_TYPE_INT8, arrow::int8()},
      {type::v1::SIMPLE_TYPE_INT16, arrow::int16()},
      {type::v1::SIMPLE_TYPE_INT32, arrow::int32()},
      {type::v1::SIMPLE_TYPE_INT64, arrow::int64()},
      {type::v1::SIMPLE_TYPE_UINT8, arrow::uint8()},
      {type::v1::SIMPLE_TYPE_UINT16, arrow::uint16()},
      {type::v1::SIMPLE_TYPE_UINT32, arrow::uint32()},
      {type::v1::SIMPLE_TYPE_UINT64, arrow::uint64()},
      {type::v1::SIMPLE_TYPE_FLOAT16, arrow::float16()},
      {type::v1::SIMPLE_TYPE_FLOAT32, arrow::float32()},
      {type::v1::SIMPLE_TYPE_FLOAT64, arrow::float64()},
      {type::v1::SIMPLE_TYPE_UTF8, arrow::utf8()},
      {type::v1::SIMPLE_TYPE_LARGE_UTF8, arrow::large_utf8()},
      {type::v1::SIMPLE_TYPE_UTF8_VIEW, arrow::utf8_view()},
      {type::v1::SIMPLE_TYPE_BINARY, arrow::binary()},
      {type::v1::SIMPLE_TYPE_LARGE_BINARY, arrow::large_binary()},
      {type::v1::SIMPLE_TYPE_BINARY_VIEW, arrow::binary_view()},
      {type::v1::SIMPLE_TYPE_DATE32, arrow::date32()},
      {type::v1::SIMPLE_TYPE_DATE64, arrow::date64()},
      {type::v1::SIMPLE_TYPE_INTERVAL_MONTHS, arrow::month_interval()},
      {type::v1::SIMPLE_TYPE_INTERVAL_DAY_TIME, arrow::day_time_interval()},
      {type::v1::SIMPLE_TYPE_INTERVAL_MONTH_DAY_NANO, arrow::month_day_nano_interval()},
  };
  return kTypes;
}

}  // namespace

std::optional<type::v1::SimpleType> simple_to_proto(arrow::Type::type id) {
  for (const auto& [number, type] : simple_types()) {
    if (type->id() == id) return number;
  }
  return std::nullopt;
}

TypePtr simple_from_proto(type::v1::SimpleType number) {
  for (const auto& [known, type] : simple_types()) {
    if (known == number) return type;
  }
  refuse_type("number " + std::to_string(number) + " as a simple type");
}

}  // namespace springald
