/// Statements on their way to the scheduler: SQL text with its parameters, and plans.
#pragma once

#include <concepts>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "springald/plan/v1/plan.pb.h"
#include "springald/type/v1/type.pb.h"

namespace springald {

/// The value of a parameter, with its type. Types that parameter() has no overload for are filled
/// in as messages.
using Parameter = type::v1::Scalar;

/// Makes a parameter: BOOL, FLOAT64, INT64, UINT64 or UTF8.
///
///     connection.query("SELECT $1 + 1", {springald::parameter(41)});
Parameter parameter(bool value);
Parameter parameter(double value);
Parameter parameter(std::int64_t value);
Parameter parameter(std::uint64_t value);
Parameter parameter(std::string_view value);
inline Parameter parameter(const char* value) { return parameter(std::string_view(value)); }
template <std::integral Integer>
  requires(sizeof(Integer) < sizeof(std::int64_t) || std::signed_integral<Integer>)
Parameter parameter(Integer value) {
  return parameter(static_cast<std::int64_t>(value));
}

/// A null of a type.
Parameter null_parameter(type::v1::SimpleType type);

/// Values for `$1`, `$2` and so on.
using PositionalParameters = std::vector<Parameter>;

/// Values for `$name`, by name without the dollar sign.
using NamedParameters = std::map<std::string, Parameter>;

/// Wraps a statement's text for the wire.
///
/// Throws CallerError if it is larger than a statement may be, or is not UTF-8.
plan::v1::Plan sql_plan(std::string_view text);
plan::v1::Plan sql_plan(std::string_view text, const PositionalParameters& parameters);
plan::v1::Plan sql_plan(std::string_view text, const NamedParameters& parameters);

/// Wraps a logical plan, which is checked by the scheduler.
plan::v1::Plan relations_plan(plan::v1::RelationTree relations);

/// Wraps a serialised plan of Substrait, and the version of Substrait by which it was written.
plan::v1::Plan substrait_plan(std::string_view bytes, std::string_view version);

/// Reads a plan that was serialised before. Throws CallerError if the bytes do not decode.
plan::v1::Plan plan_from_bytes(std::string_view bytes);

}  // namespace springald
