package dev.springald;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;

/**
 * Measures how fast a large result arrives, by hand: {@code FetchRate URL SET-UP SQL IN-PLACE
 * [UNSUPPORTED-TYPES]}.
 */
final class FetchRate {
  private FetchRate() {}

  /** Fetches five times, and prints each. */
  public static void main(String[] arguments) {
    ConnectOptions.Builder options = ConnectOptions.builder();
    options.readInPlace(Boolean.parseBoolean(arguments[3]));
    if (arguments.length > 4) {
      options.setting("springald.unsupported_types", arguments[4]);
    }
    try (Session session = Springald.connect(arguments[0], options.build())) {
      session.run(arguments[1]);
      for (int turn = 0; turn < 5; turn++) {
        measure(session, arguments[2]);
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
          "%d rows, %.3f GB in %.3f s: %.2f GB/s; arrow peak %d MiB, heap %d MiB, direct %d MiB%n",
          rows,
          bytes / 1e9,
          seconds,
          bytes / 1e9 / seconds,
          peak >> 20,
          heap >> 20,
          direct() >> 20);
    }
  }

  private static long direct() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }
}
