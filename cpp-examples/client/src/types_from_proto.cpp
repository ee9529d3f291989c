#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include <utility>
#include <vector>

#include "springald/error.hpp"
#include "springald/types.hpp"
#include "types_table.hpp"

namespace springald {

namespace {

using Kind = type::v1::DataType::KindCase;

constexpr const char* kExtensionName = "ARROW:extension:name";
constexpr const char* kExtensionSerialized = "ARROW:extension:metadata";

[[noreturn]] void refuse(const std::string& rule, const std::string& got) {
  raise(error::v1::CODE_INVALID_ARGUMENT, rule + ": got " + got + "; send what the contract says");
}

TypePtr read_type(const type::v1::DataType& message, int depth);

std::shared_ptr<arrow::Field> read_field(const type::v1::Field& message, int depth) {
  std::vector<std::string> keys;
  std::vector<std::string> values;
  for (const auto& entry : message.metadata()) {
    keys.push_back(entry.key());
    values.push_back(entry.value());
  }
  if (message.type().kind_case() == Kind::kExtensionType) {
    keys.emplace_back(kExtensionName);
    values.push_back(message.type().extension_type().name());
    keys.emplace_back(kExtensionSerialized);
    values.push_back(message.type().extension_type().serialized());
  }
  auto type = read_type(message.type(), depth);
  if (keys.empty()) return arrow::field(message.name(), std::move(type), message.nullable());
  return arrow::field(message.name(), std::move(type), message.nullable(),
                      arrow::key_value_metadata(std::move(keys), std::move(values)));
}

arrow::TimeUnit::type read_unit(type::v1::TimeUnit unit) {
  if (unit < type::v1::TIME_UNIT_SECOND || unit > type::v1::TIME_UNIT_NANOSECOND) {
    refuse("a time has a unit", "number " + std::to_string(unit));
  }
  return static_cast<arrow::TimeUnit::type>(unit - type::v1::TIME_UNIT_SECOND);
}

TypePtr read_time(type::v1::TimeUnit number, bool wide) {
  const auto unit = read_unit(number);
  const bool is_fine = unit == arrow::TimeUnit::MICRO || unit == arrow::TimeUnit::NANO;
  if (is_fine != wide) refuse("a time has a unit of its width", "number " + std::to_string(number));
  return wide ? arrow::time64(unit) : arrow::time32(unit);
}

TypePtr read_integer(type::v1::IntegerType number) {
  const auto id = find_id(kIntegerTypes, number, "an integer type");
  const std::array<TypePtr, 8> kTypes = {arrow::int8(),   arrow::int16(), arrow::int32(),
                                         arrow::int64(),  arrow::uint8(), arrow::uint16(),
                                         arrow::uint32(), arrow::uint64()};
  for (const auto& type : kTypes) {
    if (type->id() == id) return type;
  }
  refuse_type("an integer type");
}

TypePtr read_decimal(const type::v1::DecimalType& message) {
  const auto id = find_id(kDecimalWidths, message.width(), "a decimal's width");
  auto made =
      arrow::DecimalType::Make(id, static_cast<std::int32_t>(message.precision()), message.scale());
  if (!made.ok()) refuse("a decimal's precision fits its width", made.status().message());
  return *made;
}

TypePtr read_list(type::v1::ListLayout layout, const std::shared_ptr<arrow::Field>& element) {
  switch (find_id(kListLayouts, layout, "a list's layout")) {
    case arrow::Type::LIST:
      return arrow::list(element);
    case arrow::Type::LARGE_LIST:
      return arrow::large_list(element);
    case arrow::Type::LIST_VIEW:
      return arrow::list_view(element);
    default:
      return arrow::large_list_view(element);
  }
}

TypePtr read_union(const type::v1::UnionType& message, arrow::FieldVector children) {
  std::vector<std::int8_t> codes(message.type_codes().begin(), message.type_codes().end());
  const bool sparse = message.mode() == type::v1::UNION_MODE_SPARSE;
  if (!sparse && message.mode() != type::v1::UNION_MODE_DENSE) {
    refuse("a union has a mode", "number " + std::to_string(message.mode()));
  }
  auto made = sparse ? arrow::SparseUnionType::Make(std::move(children), std::move(codes))
                     : arrow::DenseUnionType::Make(std::move(children), std::move(codes));
  if (!made.ok()) refuse("a union has a code for each child", made.status().message());
  return *made;
}

TypePtr read_run_end_encoded(const type::v1::RunEndEncodedType& message, int depth) {
  auto values = read_type(message.value_type(), depth + 1);
  const auto run_ends = read_integer(message.run_end_type());
  if (values->id() == arrow::Type::RUN_END_ENCODED ||
      !arrow::RunEndEncodedType::RunEndTypeValid(*run_ends)) {
    refuse("run ends are INT16, INT32 or INT64, and runs hold plain values",
           run_ends->ToString() + " and " + values->ToString());
  }
  return arrow::run_end_encoded(run_ends, std::move(values));
}

/// How many children a kind has; -1 for any number.
int child_count(Kind kind) {
  switch (kind) {
    case Kind::kListType:
    case Kind::kFixedSizeListType:
      return 1;
    case Kind::kMapType:
      return 2;
    case Kind::kStructType:
    case Kind::kUnionType:
      return -1;
    default:
      return 0;
  }
}

TypePtr read_map(const type::v1::MapType& message, const arrow::FieldVector& children) {
  if (children[0]->nullable()) refuse("a map's key is never null", "a nullable field");
  return std::make_shared<arrow::MapType>(children[0], children[1], message.keys_sorted());
}

TypePtr read_leaf(const type::v1::DataType& message, int depth) {
  switch (message.kind_case()) {
    case Kind::kSimpleType:
      return simple_from_proto(message.simple_type());
    case Kind::kFixedSizeBinaryType:
      return arrow::fixed_size_binary(
          static_cast<std::int32_t>(message.fixed_size_binary_type().byte_width()));
    case Kind::kDecimalType:
      return read_decimal(message.decimal_type());
    case Kind::kTime32Type:
      return read_time(message.time32_type().unit(), false);
    case Kind::kTime64Type:
      return read_time(message.time64_type().unit(), true);
    case Kind::kTimestampType:
      return arrow::timestamp(read_unit(message.timestamp_type().unit()),
                              message.timestamp_type().timezone());
    case Kind::kDurationType:
      return arrow::duration(read_unit(message.duration_type().unit()));
    case Kind::kDictionaryType:
      return arrow::dictionary(read_integer(message.dictionary_type().index_type()),
                               read_type(message.dictionary_type().value_type(), depth + 1),
                               message.dictionary_type().ordered());
    case Kind::kRunEndEncodedType:
      return read_run_end_encoded(message.run_end_encoded_type(), depth);
    case Kind::kExtensionType:
      return read_type(message.extension_type().storage_type(), depth + 1);
    default:
      refuse("a type has a kind that this version knows", "none");
  }
}

TypePtr read_type(const type::v1::DataType& message, int depth) {
  check_depth(depth);
  const int wanted = child_count(message.kind_case());
  if (wanted >= 0 && message.children_size() != wanted) {
    refuse("a type has " + std::to_string(wanted) + " children",
           std::to_string(message.children_size()));
  }
  arrow::FieldVector children;
  for (const auto& child : message.children()) children.push_back(read_field(child, depth + 1));
  switch (message.kind_case()) {
    case Kind::kListType:
      return read_list(message.list_type().layout(), children[0]);
    case Kind::kFixedSizeListType:
      return arrow::fixed_size_list(
          children[0], static_cast<std::int32_t>(message.fixed_size_list_type().size()));
    case Kind::kStructType:
      return arrow::struct_(std::move(children));
    case Kind::kMapType:
      return read_map(message.map_type(), children);
    case Kind::kUnionType:
      return read_union(message.union_type(), std::move(children));
    default:
      return read_leaf(message, depth);
  }
}

}  // namespace

TypePtr from_proto(const type::v1::DataType& message) { return read_type(message, 1); }

std::shared_ptr<arrow::Field> from_proto(const type::v1::Field& message) {
  return read_field(message, 1);
}

std::shared_ptr<arrow::Schema> from_proto(const type::v1::Schema& message) {
  arrow::FieldVector fields;
  for (const auto& field : message.fields()) fields.push_back(from_proto(field));
  std::vector<std::string> keys;
  std::vector<std::string> values;
  for (const auto& entry : message.metadata()) {
    keys.push_back(entry.key());
    values.push_back(entry.value());
  }
  if (keys.empty()) return arrow::schema(std::move(fields));
  return arrow::schema(std::move(fields),
                       arrow::key_value_metadata(std::move(keys), std::move(values)));
}

}  // namespace springald
