// A query without SQL: a plan of relations and expressions, built from the contract's messages.
//
//   plan springald://127.0.0.1:50050

#include <arrow/type.h>

#include <iostream>
#include <string>
#include <vector>

#include "springald/springald.hpp"

namespace {

namespace plan = springald::plan::v1;

using Ids = std::vector<std::uint32_t>;

/// A plan in the making. What is added names what it uses by id, and so comes after it.
class Tree {
 public:
  plan::Relation& relation(const Ids& inputs) {
    auto& added = *tree_.add_relations();
    added.mutable_common()->set_node_id(static_cast<std::uint32_t>(tree_.relations_size()));
    added.mutable_common()->mutable_input_ids()->Add(inputs.begin(), inputs.end());
    return added;
  }

  plan::Expression& expression(const Ids& operands) {
    auto& added = *tree_.add_expressions();
    added.mutable_common()->set_node_id(static_cast<std::uint32_t>(tree_.expressions_size()));
    added.mutable_common()->mutable_operand_ids()->Add(operands.begin(), operands.end());
    return added;
  }

  std::uint32_t column(const std::string& name) {
    auto& added = expression({});
    added.mutable_column()->mutable_name()->set_name(name);
    return added.common().node_id();
  }

  std::uint32_t literal(std::int64_t value) {
    auto& added = expression({});
    *added.mutable_literal()->mutable_value() = springald::parameter(value);
    return added.common().node_id();
  }

  std::uint32_t call(const std::string& function, plan::FunctionKind kind, const Ids& operands) {
    auto& added = expression(operands);
    added.mutable_call()->set_function_name(function);
    added.mutable_call()->set_function_kind(kind);
    return added.common().node_id();
  }

  std::uint32_t alias(std::uint32_t operand, const std::string& name) {
    auto& added = expression({operand});
    added.mutable_alias()->set_name(name);
    return added.common().node_id();
  }

  /// The finished tree; the last relation is the answer.
  plan::RelationTree finish() {
    tree_.set_root_id(static_cast<std::uint32_t>(tree_.relations_size()));
    return std::move(tree_);
  }

 private:
  plan::RelationTree tree_;
};

/// What each city's visitors paid, of those who paid 50 or more.
plan::RelationTree paid_by_city() {
  Tree tree;
  tree.relation({}).mutable_read_named_table()->mutable_name()->set_table("visit");

  const auto is_enough =
      tree.call(">=", plan::FUNCTION_KIND_SCALAR, {tree.column("paid"), tree.literal(50)});
  tree.relation({1}).mutable_filter()->set_condition_id(is_enough);

  const auto city = tree.column("city_id");
  const auto visits = tree.alias(tree.call("count", plan::FUNCTION_KIND_AGGREGATE, {}), "visits");
  const auto paid =
      tree.alias(tree.call("sum", plan::FUNCTION_KIND_AGGREGATE, {tree.column("paid")}), "paid");
  auto& groups = *tree.relation({2}).mutable_aggregate();
  groups.add_grouping_ids(city);
  groups.add_aggregate_ids(visits);
  groups.add_aggregate_ids(paid);

  auto& key = tree.expression({tree.column("city_id")});
  key.mutable_sort_key()->set_direction(plan::SORT_DIRECTION_DESCENDING);
  tree.relation({3}).mutable_sort()->add_sort_key_ids(key.common().node_id());
  return tree.finish();
}

void run(const char* url) {
  const auto connection = springald::connect(url);
  connection.query(
      "CREATE VIEW visit AS "
      "SELECT value % 3 AS city_id, value % 100 AS paid FROM generate_series(1, 300000)");

  const auto query = springald::relations_plan(paid_by_city());
  std::cout << connection.describe(query)->ToString() << "\n\n";
  std::cout << springald::format_table(*connection.query(query));

  // The scheduler checks a plan whole, and tells all that is wrong with it, by id.
  auto broken = query;
  broken.mutable_relations()->mutable_relations(1)->mutable_filter()->set_condition_id(99);
  try {
    connection.query(broken);
  } catch (const springald::CallerError& error) {
    std::cout << "\n" << error.code_name() << "\n" << error.message() << "\n";
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: plan springald://HOST:PORT\n";
    return 2;
  }
  try {
    run(arguments[1]);
  } catch (const springald::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
