package dev.springald;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

  /** A row is read until the next one is asked for, and while its result is open. */
  @Test
  void rowThatIsThereNoMoreTellsSo() {
    Row row;
    try (Result result = session.sql("SELECT 1 AS one").fetch()) {
      Iterator<Row> rows = result.rows().iterator();
      Row first = rows.next();
      assertEquals(1, first.getInt("one"));
      assertFalse(rows.hasNext());
      assertThrows(CallerException.InvalidArgument.class, () -> first.getInt("one"));
      row = first;
    }
    assertThrows(CallerException.JobNotFound.class, () -> row.getLong(0));
    assertThrows(CallerException.JobNotFound.class, row::toList);
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

  /** A result that is much larger than the memory it may take arrives, read in place or fetched. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void fetchOfALargeResultStaysWithinItsMemory(boolean inPlace) {
    String sql = "SELECT value, repeat('x', 200) AS text FROM generate_series(1, 2000000)";
    ConnectOptions options =
        ConnectOptions.builder().memoryBytesMax(64L << 20).readInPlace(inPlace).build();
    try (Session small = Springald.connect(TestCluster.shared().url(), options);
        Result result = small.sql(sql).fetch()) {
      assertEquals(inPlace, ((PartReader) result.source()).part() instanceof RowsInPlace);
      long rows = 0;
      for (VectorSchemaRoot batch : result) {
        rows += batch.getRowCount();
      }
      assertEquals(2_000_000, rows);
    }
  }

  /** Rows that lie in files of other types than were promised are fetched and not read in place. */
  @Test
  void fetchOfALargeResultOfOtherTypesHasThePromisedOnes() {
    String sql =
        "SELECT arrow_cast(repeat('x', 200), 'Utf8View') AS text FROM generate_series(1, 200000)";
    ConnectOptions options =
        ConnectOptions.builder().setting("springald.unsupported_types", "decimal32").build();
    try (Session views = Springald.connect(TestCluster.shared().url(), options);
        Result result = views.sql(sql).fetch()) {
      assertEquals(ArrowType.Utf8View.INSTANCE, result.schema().getFields().get(0).getType());
      int rows = 0;
      for (VectorSchemaRoot batch : result) {
        rows += batch.getRowCount();
      }
      assertEquals(200_000, rows);
    }
    try (Result result = session.sql(sql).fetch()) {
      assertEquals(ArrowType.Utf8.INSTANCE, result.schema().getFields().get(0).getType());
    }
  }

  /** What was not read of a result is given up with it, and the session goes on. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void closeInTheMiddleOfAResultGivesAllBuffersBack(boolean inPlace) {
    String sql = "SELECT value, repeat('x', 200) AS text FROM generate_series(1, 1000000)";
    ConnectOptions options = ConnectOptions.builder().readInPlace(inPlace).build();
    try (Session other = Springald.connect(TestCluster.shared().url(), options)) {
      try (Result result = other.sql(sql).fetch()) {
        assertTrue(result.next());
      }
      assertEquals(0, other.allocator().getAllocatedMemory());
      try (Result result = other.sql("SELECT 1").fetch()) {
        assertTrue(result.next());
      }
    }
  }

  /** A session that is closed before its results says so, and they give their buffers back. */
  @Test
  void closeOfASessionWhoseResultHoldsRowsTellsWhatHoldsThem() {
    Session other = Springald.connect(TestCluster.shared().url());
    Result result = other.sql("SELECT 1 AS one").fetch();
    assertTrue(result.next());
    IllegalStateException early = assertThrows(IllegalStateException.class, other::close);
    assertTrue(early.getMessage().startsWith("results are closed before their session"));
    result.close();
    assertEquals(0, other.allocator().getAllocatedMemory());
    other.close();
  }

  /** A result is read once: what is closed stays so. */
  @Test
  void nextOfAClosedResultIsRefused() {
    Result result = session.sql("SELECT 1").fetch();
    result.close();
    result.close();
    assertThrows(CallerException.JobNotFound.class, result::next);
  }

  /** A result may have columns and no rows, or rows and no columns. */
  @Test
  void emptyResultsHaveTheirColumns() {
    try (Result none = session.sql("SELECT 1 AS one WHERE false").fetch()) {
      assertEquals(
          List.of("one"), none.schema().getFields().stream().map(f -> f.getName()).toList());
      assertFalse(none.rows().iterator().hasNext());
    }
  }
}
