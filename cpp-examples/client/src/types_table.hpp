/// Which message names what: the contract's enums beside Arrow's type ids.
#pragma once

#include <arrow/type.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "limits.hpp"
#include "springald/error.hpp"
#include "springald/type/v1/type.pb.h"

namespace springald {

using TypePtr = std::shared_ptr<arrow::DataType>;

/// The types without parameters and children.
std::optional<type::v1::SimpleType> simple_to_proto(arrow::Type::type id);
TypePtr simple_from_proto(type::v1::SimpleType number);

template <class Number, std::size_t kCount>
using Table = std::array<std::pair<Number, arrow::Type::type>, kCount>;

inline constexpr Table<type::v1::IntegerType, 8> kIntegerTypes = {{
    {type::v1::INTEGER_TYPE_INT8, arrow::Type::INT8},
    {type::v1::INTEGER_TYPE_INT16, arrow::Type::INT16},
    {type::v1::INTEGER_TYPE_INT32, arrow::Type::INT32},
    {type::v1::INTEGER_TYPE_INT64, arrow::Type::INT64},
    {type::v1::INTEGER_TYPE_UINT8, arrow::Type::UINT8},
    {type::v1::INTEGER_TYPE_UINT16, arrow::Type::UINT16},
    {type::v1::INTEGER_TYPE_UINT32, arrow::Type::UINT32},
    {type::v1::INTEGER_TYPE_UINT64, arrow::Type::UINT64},
}};

inline constexpr Table<type::v1::DecimalWidth, 4> kDecimalWidths = {{
    {type::v1::DECIMAL_WIDTH_32, arrow::Type::DECIMAL32},
    {type::v1::DECIMAL_WIDTH_64, arrow::Type::DECIMAL64},
    {type::v1::DECIMAL_WIDTH_128, arrow::Type::DECIMAL128},
    {type::v1::DECIMAL_WIDTH_256, arrow::Type::DECIMAL256},
}};

inline constexpr Table<type::v1::ListLayout, 4> kListLayouts = {{
    {type::v1::LIST_LAYOUT_LIST, arrow::Type::LIST},
    {type::v1::LIST_LAYOUT_LARGE_LIST, arrow::Type::LARGE_LIST},
    {type::v1::LIST_LAYOUT_LIST_VIEW, arrow::Type::LIST_VIEW},
    {type::v1::LIST_LAYOUT_LARGE_LIST_VIEW, arrow::Type::LARGE_LIST_VIEW},
}};

[[noreturn]] inline void refuse_type(const std::string& got) {
  raise(error::v1::CODE_INVALID_ARGUMENT,
        "a type is one that the contract and this version know: got " + got + "; use another type");
}

/// Looks up the number of a type, and refuses one that has none.
template <class Number, std::size_t kCount>
Number find_number(const Table<Number, kCount>& table, arrow::Type::type id,
                   const arrow::DataType& data_type) {
  for (const auto& [number, known] : table) {
    if (known == id) return number;
  }
  refuse_type(data_type.ToString());
}

/// Looks up the type of a number, and refuses one that is not specified, or not known here.
template <class Number, std::size_t kCount>
arrow::Type::type find_id(const Table<Number, kCount>& table, Number number, const char* what) {
  for (const auto& [known, id] : table) {
    if (known == number) return id;
  }
  refuse_type("number " + std::to_string(number) + " as " + what);
}

/// Refuses a type that stands too deep.
inline void check_depth(int depth) {
  if (depth <= limits::kTypeDepthMax) return;
  raise(error::v1::CODE_INVALID_ARGUMENT,
        "a type is at most TYPE_DEPTH_MAX = " + std::to_string(limits::kTypeDepthMax) +
            " levels deep: got more; nest it less");
}

}  // namespace springald
