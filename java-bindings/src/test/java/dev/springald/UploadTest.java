package dev.springald;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryEncoder;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Rows of this process as tables of a session. */
class UploadTest {
  private static final Schema NUMBERS =
      new Schema(
          List.of(
              Field.nullable("n", new ArrowType.Int(64, true)),
              Field.nullable("text", ArrowType.Utf8.INSTANCE)));

  private Session session;
  private BufferAllocator own;

  @BeforeEach
  void connect() {
    session = Springald.connect(TestCluster.shared().url());
    own = new RootAllocator();
  }

  @AfterEach
  void close() {
    assertEquals(0, session.allocator().getAllocatedMemory());
    session.close();
    own.close();
  }

  /** A batch becomes a table with its rows and nulls, and stays the caller's. */
  @Test
  void uploadOfABatchBecomesATable() {
    try (VectorSchemaRoot batch = VectorSchemaRoot.create(NUMBERS, own)) {
      fill(batch, 0, 3);
      batch.getVector("text").setNull(1);
      TableInfo table = session.upload("mine", batch);
      assertEquals("upload", table.kind());
      assertEquals(NUMBERS.getFields(), table.schema().getFields());
      assertEquals(3, batch.getRowCount());
    }
    assertEquals(
        List.of(List.of("[0, t0]"), List.of("[1, null]"), List.of("[2, t2]")),
        rows("SELECT * FROM mine ORDER BY n"));
  }

  /** Many batches, more than what is sent at once, arrive complete and in order. */
  @Test
  void uploadOfAReaderSendsAllBatches() throws IOException {
    try (ArrowReader reader = new Numbers(own, 20, 100_000)) {
      session.upload("many", reader);
    }
    assertEquals(
        List.of(List.of("[2000000, 0, 1999999, 1999999000000]")),
        rows("SELECT count(*), min(n), max(n), sum(n) FROM many"));
  }

  /** A reader without batches makes a table without rows. */
  @Test
  void uploadOfNoBatchesBecomesAnEmptyTable() throws IOException {
    try (ArrowReader reader = new Numbers(own, 0, 0)) {
      session.upload("none", reader);
    }
    assertEquals(List.of(), rows("SELECT * FROM none"));
  }

  /** One batch that is larger than a block is cut into blocks. */
  @Test
  void uploadOfALargeBatchIsCutIntoBlocks() {
    try (VectorSchemaRoot batch = VectorSchemaRoot.create(NUMBERS, own)) {
      fill(batch, 0, 1_500_000);
      session.upload("large", batch);
    }
    assertEquals(
        List.of(List.of("[1500000, 1499999]")), rows("SELECT count(*), max(n) FROM large"));
  }

  /** A reader that fails leaves no table behind. */
  @Test
  void uploadThatBreaksOffIsNoTable() throws IOException {
    try (ArrowReader reader = new Numbers(own, -1, 10)) {
      assertThrows(CallerException.InvalidArgument.class, () -> session.upload("half", reader));
    }
    assertTrue(session.tables().isEmpty());
  }

  /** A dictionary column is sent as its values. */
  @Test
  void uploadOfADictionaryColumnSendsItsValues() throws IOException {
    try (ArrowReader reader = new Words(own)) {
      session.upload("words", reader);
    }
    assertEquals(
        List.of(List.of("[a]"), List.of("[b]"), List.of("[a]")), rows("SELECT word FROM words"));
  }

  private List<List<String>> rows(String sql) {
    try (Result result = session.sql(sql).fetch()) {
      List<List<String>> rows = new java.util.ArrayList<>();
      result.rows().forEach(row -> rows.add(List.of(row.toString())));
      return rows;
    }
  }

  private static void fill(VectorSchemaRoot batch, int first, int rows) {
    BigIntVector numbers = (BigIntVector) batch.getVector("n");
    VarCharVector texts = (VarCharVector) batch.getVector("text");
    for (int row = 0; row < rows; row++) {
      numbers.setSafe(row, first + row);
      texts.setSafe(row, ("t" + (first + row)).getBytes());
    }
    batch.setRowCount(rows);
  }

  /** Batches of numbers that go on; a negative number of batches breaks after the first. */
  private static final class Numbers extends ArrowReader {
    private final int batches;
    private final int rows;
    private final AtomicInteger made = new AtomicInteger();

    Numbers(BufferAllocator allocator, int batches, int rows) {
      super(allocator);
      this.batches = batches;
      this.rows = rows;
    }

    @Override
    public boolean loadNextBatch() throws IOException {
      if (batches < 0 && made.get() > 0) {
        throw new IOException("the source broke");
      }
      prepareLoadNextBatch();
      int number = made.getAndIncrement();
      if (batches >= 0 && number >= batches) {
        return false;
      }
      fill(getVectorSchemaRoot(), number * rows, rows);
      return true;
    }

    @Override
    public long bytesRead() {
      return 0;
    }

    @Override
    protected void closeReadSource() {}

    @Override
    protected Schema readSchema() {
      return NUMBERS;
    }
  }

  /** One batch with a dictionary. */
  private static final class Words extends ArrowReader {
    private final DictionaryEncoding encoding = new DictionaryEncoding(7, false, null);
    private boolean read;

    Words(BufferAllocator allocator) {
      super(allocator);
    }

    @Override
    public boolean loadNextBatch() throws IOException {
      if (read) {
        return false;
      }
      read = true;
      prepareLoadNextBatch();
      Dictionary dictionary = lookup(encoding.getId());
      VarCharVector words = (VarCharVector) dictionary.getVector();
      words.setSafe(0, "a".getBytes());
      words.setSafe(1, "b".getBytes());
      words.setValueCount(2);
      try (VarCharVector values = new VarCharVector("word", allocator)) {
        values.setSafe(0, "a".getBytes());
        values.setSafe(1, "b".getBytes());
        values.setSafe(2, "a".getBytes());
        values.setValueCount(3);
        try (FieldVector indices = (FieldVector) DictionaryEncoder.encode(values, dictionary)) {
          indices.makeTransferPair(getVectorSchemaRoot().getVector("word")).transfer();
        }
      }
      getVectorSchemaRoot().setRowCount(3);
      return true;
    }

    @Override
    public long bytesRead() {
      return 0;
    }

    @Override
    protected void closeReadSource() {}

    @Override
    protected Schema readSchema() {
      Field word =
          new Field(
              "word",
              new org.apache.arrow.vector.types.pojo.FieldType(
                  true, ArrowType.Utf8.INSTANCE, encoding),
              null);
      return new Schema(List.of(word));
    }
  }
}
