package dev.springald.sample;

import dev.springald.Result;
import dev.springald.Row;
import dev.springald.Session;
import dev.springald.Springald;
import java.io.PrintStream;

/** How often people came to each city, and what they paid. */
public final class Visits {
  private Visits() {}

  /** Takes the URL of a cluster. */
  public static void main(String[] arguments) {
    run(arguments[0], System.out);
  }

  /** Asks the cluster, and prints a line for each city. */
  public static void run(String url, PrintStream out) {
    try (Session session = Springald.connect(url)) {
      session.run(
          "CREATE VIEW city AS"
              + " SELECT * FROM (VALUES (0, 'Bern'), (1, 'Oslo'), (2, 'Riga')) AS t(id, name)");
      session.run(
          "CREATE VIEW visit AS"
              + " SELECT value % 3 AS city_id, value % 100 AS paid FROM generate_series(1, 300000)");

      out.println("name,visits,paid");
      String sql =
          "SELECT name, count(*) AS visits, sum(paid) AS paid"
              + " FROM visit JOIN city ON city_id = id GROUP BY name ORDER BY name";
      try (Result result = session.sql(sql).fetch()) {
        for (Row row : result.rows()) {
          out.printf(
              "%s,%d,%d%n", row.getString("name"), row.getLong("visits"), row.getLong("paid"));
        }
      }
    }
  }
}
