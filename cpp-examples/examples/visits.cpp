// How often people came to each city, and what they paid.
//
//   visits springald://127.0.0.1:50050

#include <arrow/api.h>

#include <iostream>

#include "springald/springald.hpp"

namespace {

void run(const char* url) {
  const auto connection = springald::connect(url);
  connection.query(
      "CREATE VIEW city AS "
      "SELECT * FROM (VALUES (0, 'Bern'), (1, 'Oslo'), (2, 'Riga')) AS t(id, name)");
  connection.query(
      "CREATE VIEW visit AS "
      "SELECT value % 3 AS city_id, value % 100 AS paid FROM generate_series(1, 300000)");

  const auto table = connection.query(
      "SELECT name, count(*) AS visits, sum(paid) AS paid "
      "FROM visit JOIN city ON city_id = id GROUP BY name ORDER BY name");

  std::cout << "name,visits,paid\n";
  for (std::int64_t row = 0; row < table->num_rows(); ++row) {
    for (int column = 0; column < table->num_columns(); ++column) {
      const auto value = table->column(column)->GetScalar(row).ValueOrDie();
      std::cout << (column > 0 ? "," : "") << value->ToString();
    }
    std::cout << "\n";
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: visits springald://HOST:PORT\n";
    return 2;
  }
  try {
    run(arguments[1]);
  } catch (const springald::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
