package dev.springald;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Period;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.IntervalDayVector;
import org.apache.arrow.vector.IntervalYearVector;
import org.apache.arrow.vector.PeriodDuration;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider.MapDictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Values of types that no query makes today, written by another implementation of Arrow. */
class ValuesTest {
  private BufferAllocator allocator;

  @BeforeEach
  void open() {
    allocator = new RootAllocator();
  }

  @AfterEach
  void close() {
    allocator.close();
  }

  /** Layouts, runs, unions and dictionaries that change give the values that are meant. */
  @Test
  void getReturnsTheValuesOfEveryLayout() throws IOException, InterruptedException {
    Path script = Path.of("src", "test", "python", "rows.py");
    Process python =
        new ProcessBuilder(System.getProperty("springald.python"), script.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (ArrowStreamReader reader = new ArrowStreamReader(python.getInputStream(), allocator)) {
      List<Object> words = new ArrayList<>();
      while (reader.loadNextBatch()) {
        Row row = new Row(reader.getVectorSchemaRoot(), reader);
        assertEquals(List.of(Arrays.asList(1, null), List.of()), both(row, "list_view", 0, 2));
        assertEquals(List.of(List.of("a"), List.of()), both(row, "large_list_view", 0, 1));
        assertEquals(List.of("a", "a"), both(row, "runs", 0, 1));
        assertEquals(List.of(1L, "y"), both(row, "sparse", 0, 1));
        assertEquals(List.of(1L, "x"), both(row, "dense", 0, 1));
        row.moveTo(2);
        assertNull(row.get("runs"));
        assertNull(row.get("large_list_view"));
        assertEquals(3L, row.get("sparse"));
        assertNull(row.get("dense"));
        assertNull(row.getStruct("pairs").get("k"));
        row.moveTo(0);
        assertEquals((byte) 1, ((Struct) row.getStruct("pairs").get("k")).get("x"));
        for (int at = 0; at < 3; at++) {
          row.moveTo(at);
          words.add(row.get("word"));
        }
      }
      assertEquals(Arrays.asList("a", "b", "a", "c", null, "d"), words);
    }
    assertEquals(0, python.waitFor());
  }

  /** Intervals of two kinds, which the engine has and Python's Arrow cannot hand on. */
  @Test
  void getReturnsIntervalsUnfolded() {
    try (IntervalYearVector months = new IntervalYearVector("months", allocator);
        IntervalDayVector days = new IntervalDayVector("days", allocator)) {
      months.setSafe(0, -14);
      days.setSafe(0, 3, -4);
      months.setValueCount(1);
      days.setValueCount(1);
      Row row = new Row(VectorSchemaRoot.of(months, days), new MapDictionaryProvider());
      assertEquals(Period.ofMonths(-14), row.get("months"));
      assertEquals(new PeriodDuration(Period.ofDays(3), Duration.ofMillis(-4)), row.get("days"));
      assertTrue(row.toString().startsWith("["));
      assertFalse(row.isNull(0));
    }
  }

  private static List<Object> both(Row row, String column, int first, int second) {
    row.moveTo(first);
    Object one = row.get(column);
    row.moveTo(second);
    return Arrays.asList(one, row.get(column));
  }
}
