// SQL to a printed table: connect, send rows, ask questions.
//
//   quickstart springald://127.0.0.1:50050

#include <arrow/api.h>

#include <cstdio>
#include <iostream>
#include <memory>

#include "springald/springald.hpp"

namespace {

arrow::Result<std::shared_ptr<arrow::Table>> cities() {
  arrow::Int64Builder ids;
  arrow::StringBuilder names;
  ARROW_RETURN_NOT_OK(ids.AppendValues({0, 1, 2}));
  ARROW_RETURN_NOT_OK(names.AppendValues({"Bern", "Oslo", "Riga"}));
  ARROW_ASSIGN_OR_RAISE(auto id, ids.Finish());
  ARROW_ASSIGN_OR_RAISE(auto name, names.Finish());
  const auto schema =
      arrow::schema({arrow::field("id", arrow::int64()), arrow::field("name", arrow::utf8())});
  return arrow::Table::Make(schema, {id, name});
}

void run(const char* url) {
  // The session, and all it holds on the cluster, ends with this object.
  const auto connection = springald::connect(url);

  connection.register_rows("city", *cities().ValueOrDie());
  connection.query(
      "CREATE VIEW visit AS "
      "SELECT value % 3 AS city_id, value % 100 AS paid FROM generate_series(1, 300000)");

  const auto table = connection.query(
      "SELECT name, count(*) AS visits, sum(paid) AS paid "
      "FROM visit JOIN city ON city_id = id GROUP BY name ORDER BY name");
  std::cout << springald::format_table(*table);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: quickstart springald://HOST:PORT\n";
    return 2;
  }
  try {
    run(arguments[1]);
  } catch (const springald::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
