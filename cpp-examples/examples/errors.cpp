// What goes wrong is an exception with a code, with whose fault it is, and with a place.
//
//   errors springald://127.0.0.1:50050

#include <iostream>

#include "springald/springald.hpp"

namespace {

void try_query(const springald::Connection& connection, const char* sql) {
  try {
    connection.query(sql);
    std::cout << "no error\n";
  } catch (const springald::CallerError& error) {
    std::cout << "yours to mend: " << error.code_name() << "\n";
    if (const auto position = error.position()) {
      std::cout << "at line " << position->line << ", column " << position->column << "\n";
    }
    std::cout << error.message() << "\n";
  } catch (const springald::DataError& error) {
    std::cout << "the data does not fit: " << error.code_name() << "\n";
  } catch (const springald::ClusterError& error) {
    std::cout << "try " << (error.retryable() ? "again" : "something smaller") << ": "
              << error.code_name() << "\n";
  }
  std::cout << "\n";
}

void run(const char* url) {
  const auto connection = springald::connect(url);
  try_query(connection, "SELECT 1\nFORM nowhere");
  try_query(connection, "SELECT * FROM nowhere");
  try_query(connection, "SELECT nothing FROM (VALUES (1)) AS t (a)");
  try_query(connection, "SELECT CAST('many' AS INT)");
  try_query(connection, "SELECT 1 / (value - 1) FROM generate_series(1, 3)");
  try {
    // Nothing listens at port 1, and a URL that cannot be one is refused before anybody is called.
    springald::connect("springald://127.0.0.1:1");
  } catch (const springald::Error& error) {
    std::cout << error.code_name() << ", " << (error.retryable() ? "" : "not ")
              << "worth another try\n";
  }
  try {
    springald::connect("http://127.0.0.1");
  } catch (const springald::Error& error) {
    std::cout << error.code_name() << ", " << (error.retryable() ? "" : "not ")
              << "worth another try\n";
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: errors springald://HOST:PORT\n";
    return 2;
  }
  try {
    run(arguments[1]);
  } catch (const springald::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
