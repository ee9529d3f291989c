#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/visit_scalar_inline.h>

#include <algorithm>
#include <concepts>
#include <string>
#include <utility>

#include "flight_error.hpp"
#include "springald/types.hpp"
#include "text.hpp"

namespace springald {

namespace {

using type::v1::Value;

void write_value(const arrow::Scalar* scalar, Value& out);

/// Writes the elements of an array, and returns nothing: `add` makes the place of each.
template <class Add>
void write_elements(const arrow::Array& array, const Add& add) {
  for (std::int64_t at = 0; at < array.length(); ++at) {
    write_value(take_arrow(array.GetScalar(at), "an element").get(), *add());
  }
}

/// Two's complement, most significant byte first, in as few bytes as hold the number.
template <class Decimal>
std::string big_endian(const Decimal& number) {
  std::string bytes(Decimal::kByteWidth, '\0');
  number.ToBytes(reinterpret_cast<std::uint8_t*>(bytes.data()));
  std::ranges::reverse(bytes);
  const auto is_sign_alone = [&](std::size_t at) {
    const bool is_negative = (static_cast<unsigned char>(bytes[at + 1]) & 0x80U) != 0;
    return bytes[at] == (is_negative ? '\xFF' : '\0');
  };
  std::size_t first = 0;
  while (first + 1 < bytes.size() && is_sign_alone(first)) ++first;
  return bytes.substr(first);
}

/// Writes a scalar that is not null.
struct Writer {
  Value& out;

  arrow::Status Visit(const arrow::NullScalar&) {
    out.mutable_null_value();
    return arrow::Status::OK();
  }

  arrow::Status Visit(const arrow::BooleanScalar& scalar) {
    out.set_bool_value(scalar.value);
    return arrow::Status::OK();
  }

  arrow::Status Visit(const arrow::HalfFloatScalar& scalar) {
    out.set_half_bits(scalar.value);
    return arrow::Status::OK();
  }

  arrow::Status Visit(const arrow::FloatScalar& scalar) {
    out.set_float_value(scalar.value);
    return arrow::Status::OK();
  }

  arrow::Status Visit(const arrow::DoubleScalar& scalar) {
    out.set_double_value(scalar.value);
    return arrow::Status::OK();
  }

  /// Whole numbers; dates, times, timestamps, durations and months in their ticks.
  template <class Number>
    requires std::integral<typename Number::ValueType>
  arrow::Status Visit(const Number& scalar) {
    if constexpr (std::signed_integral<typename Number::ValueType>) {
      out.set_int_value(scalar.value);
    } else {
      out.set_uint_value(scalar.value);
    }
    return arrow::Status::OK();
  }

  template <class Bytes>
    requires std::derived_from<Bytes, arrow::BaseBinaryScalar>
  arrow::Status Visit(const Bytes& scalar) {
    using Type = typename Bytes::TypeClass;
    if constexpr (arrow::is_string_type<Type>::value || std::same_as<Type, arrow::StringViewType>) {
      out.set_string_value(checked_text(scalar.view(), "text"));
    } else {
      out.set_binary_value(std::string(scalar.view()));
    }
    return arrow::Status::OK();
  }

  template <class Decimal>
    requires arrow::is_decimal_type<typename Decimal::TypeClass>::value
  arrow::Status Visit(const Decimal& scalar) {
    out.set_decimal_value(big_endian(scalar.value));
    return arrow::Status::OK();
  }

  arrow::Status Visit(const arrow::DayTimeIntervalScalar& scalar) {
    out.mutable_day_time_value()->set_days(scalar.value.days);
    out.mutable_day_time_value()->set_milliseconds(scalar.value.milliseconds);
    return arrow::Status::OK();
  }

  arrow::Status Visit(const arrow::MonthDayNanoIntervalScalar& scalar) {
    auto& made = *out.mutable_month_day_nano_value();
    made.set_months(scalar.value.months);
    made.set_days(scalar.value.days);
    made.set_nanoseconds(scalar.value.nanoseconds);
    return arrow::Status::OK();
  }

  arrow::Status Visit(const arrow::MapScalar& scalar) {
    const auto& pairs = static_cast<const arrow::StructArray&>(*scalar.value);
    auto& made = *out.mutable_map_value();
    write_elements(*pairs.field(0), [&] { return made.add_keys(); });
    write_elements(*pairs.field(1), [&] { return made.add_values(); });
    return arrow::Status::OK();
  }

  template <class List>
    requires std::derived_from<List, arrow::BaseListScalar>
  arrow::Status Visit(const List& scalar) {
    auto& made = *out.mutable_list_value();
    write_elements(*scalar.value, [&] { return made.add_elements(); });
    return arrow::Status::OK();
  }

  arrow::Status Visit(const arrow::StructScalar& scalar) {
    auto& made = *out.mutable_struct_value();
    for (const auto& field : scalar.value) write_value(field.get(), *made.add_fields());
    return arrow::Status::OK();
  }

  template <class Union>
    requires std::derived_from<Union, arrow::UnionScalar>
  arrow::Status Visit(const Union& scalar) {
    auto& made = *out.mutable_union_value();
    write_value(scalar.child_value().get(), *made.mutable_value());
    made.set_type_code(static_cast<std::uint32_t>(scalar.type_code));
    if (made.value().has_null_value()) out.mutable_null_value();
    return arrow::Status::OK();
  }

  /// An encoding stays in the type; the value is written without it.
  arrow::Status Visit(const arrow::DictionaryScalar& scalar) {
    ARROW_ASSIGN_OR_RAISE(const auto value, scalar.GetEncodedValue());
    write_value(value.get(), out);
    return arrow::Status::OK();
  }

  arrow::Status Visit(const arrow::RunEndEncodedScalar& scalar) {
    write_value(scalar.value.get(), out);
    return arrow::Status::OK();
  }

  arrow::Status Visit(const arrow::ExtensionScalar& scalar) {
    write_value(scalar.value.get(), out);
    return arrow::Status::OK();
  }
};

void write_value(const arrow::Scalar* scalar, Value& out) {
  if (scalar == nullptr || !scalar->is_valid) {
    out.mutable_null_value();
    return;
  }
  Writer writer{out};
  check_arrow(arrow::VisitScalarInline(*scalar, &writer), "a value has a form in the contract");
}

}  // namespace

type::v1::Scalar to_proto(const arrow::Scalar& scalar) {
  type::v1::Scalar made;
  *made.mutable_type() = to_proto(*scalar.type);
  write_value(&scalar, *made.mutable_value());
  return made;
}

}  // namespace springald
