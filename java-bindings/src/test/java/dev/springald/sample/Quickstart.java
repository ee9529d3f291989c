package dev.springald.sample;

import static dev.springald.Expr.col;

import dev.springald.Call;
import dev.springald.CallerException;
import dev.springald.Job;
import dev.springald.Relation;
import dev.springald.Result;
import dev.springald.Row;
import dev.springald.Session;
import dev.springald.Springald;
import java.io.PrintStream;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;

/**
 * Sends rows to a cluster, and asks about them in SQL and with a plan. Run it against a cluster
 * that {@code springald cluster} started, with {@code mvn test-compile exec:exec}.
 */
public final class Quickstart {
  private Quickstart() {}

  /** Takes the URL of a cluster. */
  public static void main(String[] arguments) {
    run(arguments[0], System.out);
  }

  /** Does it all, and prints what comes of it. */
  public static void run(String url, PrintStream out) {
    try (Session session = Springald.connect(url)) {
      upload(session);

      out.println("in SQL, with a parameter:");
      String sql = "SELECT name, paid FROM orders WHERE paid > $1 ORDER BY paid";
      try (Result result = session.sql(sql).bind(6.0).fetch()) {
        for (Row row : result.rows()) {
          out.printf("%s paid %.2f%n", row.getString("name"), row.getDouble("paid"));
        }
      }

      out.println("as a plan:");
      Relation spent =
          Relation.table("orders")
              .aggregate(List.of(col("name")), Call.sum(col("paid")).as("paid"))
              .sort(col("name").ascending());
      try (Result result = session.plan(spent).fetch()) {
        result.printTo(out);
      }

      out.println("as a job:");
      try (Job job = session.sql("SELECT count(*) AS n FROM orders").execute()) {
        out.println(job.await());
        out.println(job.statistics().stages().size() + " stage");
      }

      out.println("an error:");
      try (Result result = session.sql("SELECT nmae FROM orders").fetch()) {
        result.printTo(out);
      } catch (CallerException.UnknownColumn error) {
        out.println(error.code() + " is the fault of the " + error.fault());
      }
    }
  }

  private static void upload(Session session) {
    try (BufferAllocator allocator = new RootAllocator();
        VarCharVector names = new VarCharVector("name", allocator);
        Float8Vector paid = new Float8Vector("paid", allocator)) {
      String[] who = {"Ada", "Bob", "Ada"};
      double[] amounts = {10.0, 20.0, 5.5};
      for (int row = 0; row < who.length; row++) {
        names.setSafe(row, who[row].getBytes());
        paid.setSafe(row, amounts[row]);
      }
      names.setValueCount(who.length);
      paid.setValueCount(who.length);
      session.upload("orders", VectorSchemaRoot.of(names, paid));
    }
  }
}
