/// Arrow's types, schemas and scalars as messages of `springald.type.v1`, and back.
#pragma once

#include <memory>

#include "springald/type/v1/type.pb.h"

namespace arrow {
class DataType;
class Field;
class Schema;
struct Scalar;
}  // namespace arrow

namespace springald {

/// Writes a type, field or schema.
///
/// Throws CallerError if it is nested deeper than the contract allows, or is one that it lacks.
type::v1::DataType to_proto(const arrow::DataType& data_type);
type::v1::Field to_proto(const arrow::Field& field);
type::v1::Schema to_proto(const arrow::Schema& schema);

/// Writes a typed value, for example as a parameter. A dictionary or run-end encoding stays in the
/// type; the value is written without it.
///
/// Throws CallerError as for the type, or if a text is not UTF-8.
type::v1::Scalar to_proto(const arrow::Scalar& scalar);

/// Reads a type, field or schema. An extension type becomes its storage type; a field keeps the
/// extension's name and parameters in its metadata, as when Arrow reads a file.
///
/// Throws CallerError if the message breaks a rule of the contract.
std::shared_ptr<arrow::DataType> from_proto(const type::v1::DataType& message);
std::shared_ptr<arrow::Field> from_proto(const type::v1::Field& message);
std::shared_ptr<arrow::Schema> from_proto(const type::v1::Schema& message);

}  // namespace springald
