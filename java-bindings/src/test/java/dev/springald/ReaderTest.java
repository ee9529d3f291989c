package dev.springald;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.apache.arrow.c.ArrowArrayStream;
import org.apache.arrow.c.Data;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Results as Arrow's own reader, for whoever takes one. */
class ReaderTest {
  private static final String MANY = "SELECT value FROM generate_series(1, 1000000)";

  private Session session;

  @BeforeEach
  void connect() {
    session = Springald.connect(TestCluster.shared().url());
  }

  @AfterEach
  void close() {
    assertEquals(0, session.allocator().getAllocatedMemory());
    session.close();
  }

  /** All batches go through the reader: an upload of it is the result again. */
  @Test
  void uploadOfAResultIsItsCopy() throws IOException {
    try (ArrowReader reader = session.sql(MANY).fetch().reader()) {
      session.upload("copy", reader);
      assertTrue(reader.bytesRead() >= 8_000_000, "a million numbers of 8 bytes");
    }
    try (Result sum = session.sql("SELECT count(*), sum(value) FROM copy").fetch()) {
      assertEquals("[1000000, 500000500000]", sum.rows().iterator().next().toList().toString());
    }
  }

  /** A reader goes on where the result was, and closing it closes the result. */
  @Test
  void readerGoesOnWhereTheResultWas() throws IOException {
    Result result = session.sql(MANY).fetch();
    assertTrue(result.next());
    long rows = result.batch().getRowCount();
    try (ArrowReader reader = result.reader()) {
      while (reader.loadNextBatch()) {
        rows += reader.getVectorSchemaRoot().getRowCount();
      }
    }
    assertEquals(1_000_000, rows);
    assertEquals("JOB_NOT_FOUND", assertThrows(CallerException.class, result::next).code());
  }

  /** Rows go through the C interface where they are: their place in memory is the same. */
  @Test
  void exportedRowsStayWhereTheyAre() throws IOException {
    BufferAllocator allocator = session.allocator();
    try (Result result = session.sql("SELECT 7 AS seven").fetch();
        ArrowArrayStream stream = ArrowArrayStream.allocateNew(allocator)) {
      Data.exportArrayStream(allocator, result.reader(), stream);
      try (ArrowReader there = Data.importArrayStream(allocator, stream)) {
        assertTrue(there.loadNextBatch());
        BigIntVector taken = (BigIntVector) there.getVectorSchemaRoot().getVector("seven");
        BigIntVector lent = (BigIntVector) result.batch().getVector("seven");
        assertEquals(7, taken.get(0));
        assertEquals(lent.getDataBufferAddress(), taken.getDataBufferAddress());
        assertFalse(there.loadNextBatch());
        assertTrue(result.failure().isEmpty());
      }
    }
  }
}
