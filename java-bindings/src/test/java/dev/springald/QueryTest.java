package dev.springald;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Statements and their rows, on a real cluster. */
class QueryTest {
  private Session session;

  @BeforeEach
  void connect() {
    session = Springald.connect(TestCluster.shared().url());
  }

  /** Closing a session fails where a buffer was not given back. */
  @AfterEach
  void close() {
    assertEquals(0, session.allocator().getAllocatedMemory());
    session.close();
  }

  /** The rows of a small result come with the job's last news. */
  @Test
  void fetchOfASmallResultReturnsItsRows() {
    try (Result result = session.sql("SELECT 1 AS one, 'a' AS letter").fetch()) {
      List<List<Object>> rows = new ArrayList<>();
      result.rows().forEach(row -> rows.add(row.toList()));
      assertEquals(List.of(List.of(1L, "a")), rows);
    }
  }

  /** A large result is fetched from executors batch by batch, complete and in order. */
  @Test
  void fetchOfALargeResultReturnsAllBatchesInOrder() {
    Query query = session.sql("SELECT value FROM generate_series(1, 1000000) ORDER BY value");
    try (Result result = query.fetch()) {
      long expected = 1;
      int batches = 0;
      for (VectorSchemaRoot batch : result) {
        BigIntVector values = (BigIntVector) batch.getVector("value");
        for (int row = 0; row < batch.getRowCount(); row++) {
          assertEquals(expected++, values.get(row));
        }
        batches++;
      }
      assertEquals(1_000_001, expected);
      assertTrue(batches > 3, "the rows come in many batches");
      assertFalse(result.next());
    }
  }

  /** A statement without rows takes effect, and its result has no columns. */
  @Test
  void runOfAViewMakesIt() {
    session.run("CREATE VIEW answer AS SELECT 42 AS value");
    try (Result result = session.sql("SELECT value FROM answer").fetch()) {
      assertEquals(42, result.rows().iterator().next().getInt("value"));
    }
    assertEquals(List.of("answer"), session.tables().stream().map(TableInfo::name).toList());
  }

  /** A syntax error has its code, its place, and a caret under it. */
  @Test
  void fetchOfWhatDoesNotParseThrowsWithItsPlace() {
    CallerException.SqlSyntax error =
        assertThrows(
            CallerException.SqlSyntax.class, () -> session.sql("SELECT 1 FORM t WHERE").fetch());
    assertEquals("SQL_SYNTAX", error.code());
    assertEquals(Fault.CALLER, error.fault());
    assertFalse(error.retryable());
    assertTrue(error.position().isPresent());
    assertTrue(error.getMessage().contains("^"), error.getMessage());
  }
}
