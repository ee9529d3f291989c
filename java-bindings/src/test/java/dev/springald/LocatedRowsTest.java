package dev.springald;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import net.openhft.hashing.LongHashFunction;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowFileWriter;
import org.apache.arrow.vector.ipc.message.ArrowBlock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import springald.executor.v1.Files.LocatedFile;
import springald.executor.v1.Files.LocatedPartition;

/** Files that are read where they lie (P5.6), and only if they are what was written (P5.4). */
class LocatedRowsTest {
  private static final int ROWS = 1000;

  @TempDir private Path folder;
  private BufferAllocator allocator;
  private Path file;
  private LocatedFile told;

  @BeforeEach
  void write() throws IOException {
    allocator = new RootAllocator();
    file = folder.resolve("rows.arrow");
    LocatedPartition.Builder blocks = LocatedPartition.newBuilder();
    try (BigIntVector numbers = new BigIntVector("n", allocator);
        VectorSchemaRoot root = VectorSchemaRoot.of(numbers);
        FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        ArrowFileWriter writer = new ArrowFileWriter(root, null, channel)) {
      writer.start();
      for (int batch = 0; batch < 2; batch++) {
        for (int row = 0; row < ROWS; row++) {
          numbers.setSafe(row, batch * ROWS + row);
        }
        root.setRowCount(ROWS);
        writer.writeBatch();
      }
      writer.end();
      long start = 0;
      for (ArrowBlock block : writer.getRecordBlocks()) {
        long end = block.getOffset() + block.getMetadataLength() + block.getBodyLength();
        blocks.addStarts(start).addEnds(end);
        start = end;
      }
    }
    byte[] content = Files.readAllBytes(file);
    for (int at = 0; at < blocks.getStartsCount(); at++) {
      int start = (int) blocks.getStarts(at);
      int length = (int) blocks.getEnds(at) - start;
      blocks.addChecksums(LongHashFunction.xx3().hashBytes(content, start, length));
    }
    told =
        LocatedFile.newBuilder()
            .setPath(file.toString())
            .setSizeBytes(content.length)
            .setInode((Long) Files.getAttribute(file, "unix:ino"))
            .addPartitions(blocks)
            .setTaskId("j1/s1/t1#1")
            .build();
  }

  @AfterEach
  void close() {
    allocator.close();
  }

  /** The blocks come in the order in which they were told of. */
  @Test
  void nextBringsTheBlocks() throws IOException {
    try (LocatedRows rows = LocatedRows.open(told, allocator)) {
      for (int batch = 0; batch < 2; batch++) {
        assertTrue(rows.next());
        assertEquals(ROWS, rows.root().getRowCount());
        assertEquals(batch * ROWS, ((BigIntVector) rows.root().getVector("n")).get(0));
      }
      assertFalse(rows.next());
    }
  }

  /** One flipped bit is a lost input, and no row. */
  @Test
  void nextOfABlockThatChangedIsALostInput() throws IOException {
    try (RandomAccessFile content = new RandomAccessFile(file.toFile(), "rw")) {
      content.seek(told.getPartitions(0).getEnds(1) - 9);
      int found = content.read();
      content.seek(content.getFilePointer() - 1);
      content.write(found ^ 1);
    }
    try (LocatedRows rows = LocatedRows.open(told, allocator)) {
      assertTrue(rows.next());
      assertThrows(ClusterException.InputLost.class, rows::next);
    }
  }

  /** Another file at the same path is not the one that was told of. */
  @Test
  void openOfAnotherFileIsRefused() {
    LocatedFile other = told.toBuilder().setInode(told.getInode() + 1).build();
    assertThrows(IOException.class, () -> LocatedRows.open(other, allocator));
    LocatedFile shorter = told.toBuilder().setSizeBytes(told.getSizeBytes() - 1).build();
    assertThrows(IOException.class, () -> LocatedRows.open(shorter, allocator));
  }
}
