#include "springald/statement.hpp"

#include <utility>

#include "limits.hpp"
#include "springald/error.hpp"
#include "text.hpp"

namespace springald {

namespace {

constexpr std::uint32_t kPlanMajor = 1;
/// What all but SQL text without parameters needs.
constexpr std::uint32_t kPlanMinorComplete = 1;

plan::v1::Plan plan_of_version(std::uint32_t minor) {
  plan::v1::Plan made;
  made.mutable_version()->set_major(kPlanMajor);
  made.mutable_version()->set_minor(minor);
  made.mutable_version()->set_producer(client_name());
  return made;
}

Parameter typed(type::v1::SimpleType type) {
  Parameter made;
  made.mutable_type()->set_simple_type(type);
  return made;
}

}  // namespace

Parameter parameter(bool value) {
  auto made = typed(type::v1::SIMPLE_TYPE_BOOL);
  made.mutable_value()->set_bool_value(value);
  return made;
}

Parameter parameter(double value) {
  auto made = typed(type::v1::SIMPLE_TYPE_FLOAT64);
  made.mutable_value()->set_double_value(value);
  return made;
}

Parameter parameter(std::int64_t value) {
  auto made = typed(type::v1::SIMPLE_TYPE_INT64);
  made.mutable_value()->set_int_value(value);
  return made;
}

Parameter parameter(std::uint64_t value) {
  auto made = typed(type::v1::SIMPLE_TYPE_UINT64);
  made.mutable_value()->set_uint_value(value);
  return made;
}

Parameter parameter(std::string_view value) {
  auto made = typed(type::v1::SIMPLE_TYPE_UTF8);
  made.mutable_value()->set_string_value(checked_text(value, "a parameter"));
  return made;
}

Parameter null_parameter(type::v1::SimpleType type) {
  auto made = typed(type);
  made.mutable_value()->mutable_null_value();
  return made;
}

plan::v1::Plan sql_plan(std::string_view text) {
  if (text.size() > limits::kStatementBytesMax) {
    raise(error::v1::CODE_PLAN_TOO_LARGE,
          "a statement has at most " + std::to_string(limits::kStatementBytesMax) + " bytes: got " +
              std::to_string(text.size()) + "; put long lists into a table and join with it");
  }
  auto made = plan_of_version(0);
  made.mutable_sql()->set_text(checked_text(text, "a statement"));
  return made;
}

plan::v1::Plan sql_plan(std::string_view text, const PositionalParameters& parameters) {
  auto made = sql_plan(text);
  if (!parameters.empty()) made.mutable_version()->set_minor(kPlanMinorComplete);
  for (const auto& value : parameters) *made.mutable_sql()->add_positional_parameters() = value;
  return made;
}

plan::v1::Plan sql_plan(std::string_view text, const NamedParameters& parameters) {
  auto made = sql_plan(text);
  if (!parameters.empty()) made.mutable_version()->set_minor(kPlanMinorComplete);
  for (const auto& [name, value] : parameters) {
    auto& added = *made.mutable_sql()->add_named_parameters();
    added.set_name(checked_text(name, "a parameter's name"));
    *added.mutable_value() = value;
  }
  return made;
}

plan::v1::Plan relations_plan(plan::v1::RelationTree relations) {
  auto made = plan_of_version(kPlanMinorComplete);
  *made.mutable_relations() = std::move(relations);
  return made;
}

plan::v1::Plan substrait_plan(std::string_view bytes, std::string_view version) {
  auto made = plan_of_version(kPlanMinorComplete);
  made.mutable_substrait()->set_plan(std::string(bytes));
  made.mutable_substrait()->set_version(checked_text(version, "a version"));
  return made;
}

plan::v1::Plan plan_from_bytes(std::string_view bytes) {
  plan::v1::Plan made;
  if (!made.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    raise(error::v1::CODE_MESSAGE_GARBLED,
          "a plan must decode: got " + std::to_string(bytes.size()) + " bytes that do not");
  }
  return made;
}

}  // namespace springald
