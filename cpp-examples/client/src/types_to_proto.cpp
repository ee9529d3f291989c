#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "springald/error.hpp"
#include "springald/types.hpp"
#include "text.hpp"
#include "types_table.hpp"

namespace springald {

namespace {

template <class Wanted>
const Wanted& as(const arrow::DataType& data_type) {
  return static_cast<const Wanted&>(data_type);
}

type::v1::TimeUnit unit_to_proto(arrow::TimeUnit::type unit) {
  return static_cast<type::v1::TimeUnit>(static_cast<int>(unit) + type::v1::TIME_UNIT_SECOND);
}

type::v1::IntegerType integer_to_proto(const arrow::DataType& data_type) {
  return find_number(kIntegerTypes, data_type.id(), data_type);
}

void add_metadata(const arrow::KeyValueMetadata* metadata,
                  google::protobuf::RepeatedPtrField<type::v1::KeyValue>* out) {
  if (metadata == nullptr) return;
  auto entries = metadata->sorted_pairs();
  for (auto& [key, value] : entries) {
    auto& entry = *out->Add();
    entry.set_key(checked_text(key, "a key of metadata"));
    entry.set_value(std::move(value));
  }
}

void write_type(const arrow::DataType& data_type, int depth, type::v1::DataType& out);

void write_field(const arrow::Field& field, int depth, type::v1::Field& out) {
  out.set_name(checked_text(field.name(), "a field's name"));
  out.set_nullable(field.nullable());
  write_type(*field.type(), depth, *out.mutable_type());
  add_metadata(field.metadata().get(), out.mutable_metadata());
}

void write_children(const arrow::FieldVector& fields, int depth, type::v1::DataType& out) {
  for (const auto& field : fields) write_field(*field, depth + 1, *out.add_children());
}

void write_decimal(const arrow::DecimalType& decimal, type::v1::DataType& out) {
  auto& made = *out.mutable_decimal_type();
  made.set_width(find_number(kDecimalWidths, decimal.id(), decimal));
  made.set_precision(static_cast<std::uint32_t>(decimal.precision()));
  made.set_scale(decimal.scale());
}

void write_union(const arrow::UnionType& data_type, type::v1::DataType& out) {
  auto& made = *out.mutable_union_type();
  made.set_mode(data_type.mode() == arrow::UnionMode::SPARSE ? type::v1::UNION_MODE_SPARSE
                                                             : type::v1::UNION_MODE_DENSE);
  for (const auto code : data_type.type_codes()) {
    made.add_type_codes(static_cast<std::uint32_t>(code));
  }
}

void write_encoded(const arrow::DataType& data_type, int depth, type::v1::DataType& out) {
  if (data_type.id() == arrow::Type::DICTIONARY) {
    const auto& dictionary = as<arrow::DictionaryType>(data_type);
    auto& made = *out.mutable_dictionary_type();
    made.set_index_type(integer_to_proto(*dictionary.index_type()));
    made.set_ordered(dictionary.ordered());
    write_type(*dictionary.value_type(), depth + 1, *made.mutable_value_type());
  } else if (data_type.id() == arrow::Type::RUN_END_ENCODED) {
    const auto& encoded = as<arrow::RunEndEncodedType>(data_type);
    auto& made = *out.mutable_run_end_encoded_type();
    made.set_run_end_type(integer_to_proto(*encoded.run_end_type()));
    write_type(*encoded.value_type(), depth + 1, *made.mutable_value_type());
  } else {
    const auto& extension = as<arrow::ExtensionType>(data_type);
    auto& made = *out.mutable_extension_type();
    made.set_name(extension.extension_name());
    made.set_serialized(extension.Serialize());
    write_type(*extension.storage_type(), depth + 1, *made.mutable_storage_type());
  }
}

void write_time(const arrow::DataType& data_type, type::v1::DataType& out) {
  using arrow::Type;
  switch (data_type.id()) {
    case Type::TIME32:
      out.mutable_time32_type()->set_unit(unit_to_proto(as<arrow::TimeType>(data_type).unit()));
      return;
    case Type::TIME64:
      out.mutable_time64_type()->set_unit(unit_to_proto(as<arrow::TimeType>(data_type).unit()));
      return;
    case Type::DURATION:
      out.mutable_duration_type()->set_unit(
          unit_to_proto(as<arrow::DurationType>(data_type).unit()));
      return;
    default:
      const auto& timestamp = as<arrow::TimestampType>(data_type);
      out.mutable_timestamp_type()->set_unit(unit_to_proto(timestamp.unit()));
      out.mutable_timestamp_type()->set_timezone(timestamp.timezone());
  }
}

void write_nested(const arrow::DataType& data_type, int depth, type::v1::DataType& out) {
  using arrow::Type;
  switch (data_type.id()) {
    case Type::FIXED_SIZE_LIST:
      out.mutable_fixed_size_list_type()->set_size(
          static_cast<std::uint32_t>(as<arrow::FixedSizeListType>(data_type).list_size()));
      break;
    case Type::STRUCT:
      out.mutable_struct_type();
      break;
    case Type::MAP: {
      const auto& map = as<arrow::MapType>(data_type);
      out.mutable_map_type()->set_keys_sorted(map.keys_sorted());
      write_children({map.key_field(), map.item_field()}, depth, out);
      return;
    }
    case Type::SPARSE_UNION:
    case Type::DENSE_UNION:
      write_union(as<arrow::UnionType>(data_type), out);
      break;
    default:
      out.mutable_list_type()->set_layout(find_number(kListLayouts, data_type.id(), data_type));
  }
  write_children(data_type.fields(), depth, out);
}

void write_type(const arrow::DataType& data_type, int depth, type::v1::DataType& out) {
  using arrow::Type;
  check_depth(depth);
  const auto id = data_type.id();
  if (const auto simple = simple_to_proto(id)) {
    out.set_simple_type(*simple);
  } else if (id == Type::FIXED_SIZE_BINARY) {
    const auto width = as<arrow::FixedSizeBinaryType>(data_type).byte_width();
    out.mutable_fixed_size_binary_type()->set_byte_width(static_cast<std::uint32_t>(width));
  } else if (arrow::is_decimal(id)) {
    write_decimal(as<arrow::DecimalType>(data_type), out);
  } else if (arrow::is_time(id) || id == Type::TIMESTAMP || id == Type::DURATION) {
    write_time(data_type, out);
  } else if (id == Type::DICTIONARY || id == Type::RUN_END_ENCODED || id == Type::EXTENSION) {
    write_encoded(data_type, depth, out);
  } else {
    write_nested(data_type, depth, out);
  }
}

}  // namespace

type::v1::DataType to_proto(const arrow::DataType& data_type) {
  type::v1::DataType made;
  write_type(data_type, 1, made);
  return made;
}

type::v1::Field to_proto(const arrow::Field& field) {
  type::v1::Field made;
  write_field(field, 1, made);
  return made;
}

type::v1::Schema to_proto(const arrow::Schema& schema) {
  type::v1::Schema made;
  for (const auto& field : schema.fields()) *made.add_fields() = to_proto(*field);
  add_metadata(schema.metadata().get(), made.mutable_metadata());
  return made;
}

}  // namespace springald
