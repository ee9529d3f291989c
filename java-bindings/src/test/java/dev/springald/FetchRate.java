package dev.springald;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;

/**
 * Measures how fast the rows of a table arrive, by hand: {@code FetchRate URL FOLDER
 * in_place|flight ROUNDS [UNSUPPORTED-TYPES]}.
 */
final class FetchRate {
  private FetchRate() {}

  /** Fetches some times, and prints the rows and seconds of each, and what it held. */
  public static void main(String[] arguments) {
    ConnectOptions.Builder options = ConnectOptions.builder();
    options.readInPlace(arguments[2].equals("in_place"));
    if (arguments.length > 4) {
      options.setting("springald.unsupported_types", arguments[4]);
    }
    try (Session session = Springald.connect(arguments[0], options.build())) {
      session.registerParquet("t", arguments[1]);
      for (int turn = 0; turn < Integer.parseInt(arguments[3]); turn++) {
        measure(session, "SELECT * FROM t");
      }
    }
  }

  private static void measure(Session session, String sql) {
    try (Job job = session.sql(sql).execute()) {
      job.await();
      long begin = System.nanoTime();
      long rows = 0;
      long bytes = 0;
      long peak = 0;
      try (Result result = job.result()) {
        for (VectorSchemaRoot batch : result) {
          rows += batch.getRowCount();
          for (FieldVector column : batch.getFieldVectors()) {
            bytes += column.getBufferSize();
          }
          peak = Math.max(peak, session.allocator().getAllocatedMemory());
        }
      }
      double seconds = (System.nanoTime() - begin) / 1e9;
      long heap = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
      System.out.printf(
          "%d %.4f s for %.2f GB; at most: arrow %d MiB, heap %d MiB, direct %d MiB%n",
          rows, seconds, bytes / 1e9, peak >> 20, heap >> 20, direct() >> 20);
    }
  }

  private static long direct() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }
}
