package dev.springald;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import net.openhft.hashing.LongHashFunction;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowFileReader;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import springald.executor.v1.Files.LocatedFile;
import springald.executor.v1.Files.LocatedPartition;

/** One file of a result, opened and proved to be the one that the executor told of. */
final class LocatedRows implements AutoCloseable {
  private static final Path OWN_PROCESS = Path.of("/proc/self");

  /** Metadata of a file whose rows have other types than the client was promised. */
  private static final String RESULT_SCHEMA = "springald:result_schema";

  /** What a file begins with, before its schema. */
  private static final int MAGIC_BYTES = 8;

  /** What a message begins with: a mark, and how long its metadata is. */
  private static final int PREFIX_BYTES = 2 * Integer.BYTES;

  private final FileChannel channel;
  private final ArrowFileReader reader;
  private final VectorSchemaRoot root;
  private final BufferAllocator allocator;
  private final String taskId;
  private final Iterator<Block> blocks;

  private LocatedRows(
      FileChannel channel, ArrowFileReader reader, BufferAllocator allocator, LocatedFile told)
      throws IOException {
    this.channel = channel;
    this.reader = reader;
    this.root = reader.getVectorSchemaRoot();
    this.allocator = allocator;
    this.taskId = told.getTaskId();
    this.blocks = blocks(told).iterator();
  }

  /**
   * Opens a file.
   *
   * @throws IOException if it is not there, or is another one
   */
  static LocatedRows open(LocatedFile told, BufferAllocator allocator) throws IOException {
    Path path = Path.of(told.getPath());
    // Looked at on both sides of opening: what is opened in between is the same file.
    check(path, told);
    FileChannel channel =
        FileChannel.open(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    ArrowFileReader reader = new ArrowFileReader(channel, allocator);
    try {
      check(path, told);
      return new LocatedRows(channel, reader, allocator, told);
    } catch (IOException | RuntimeException failed) {
      reader.close();
      throw failed;
    }
  }

  /** Whether the types are not those that the client was promised. */
  boolean isOther() {
    Map<String, String> metadata = root.getSchema().getCustomMetadata();
    return metadata != null && metadata.containsKey(RESULT_SCHEMA);
  }

  VectorSchemaRoot root() {
    return root;
  }

  /** There are none: files hold the values of dictionaries. */
  DictionaryProvider dictionaries() {
    return reader;
  }

  /**
   * Brings the next block's rows.
   *
   * @throws ClusterException.InputLost if they are not what was written (P5.4)
   */
  boolean next() throws IOException {
    if (!blocks.hasNext()) {
      return false;
    }
    Block block = blocks.next();
    try (ArrowBuf bytes = read(block);
        ArrowRecordBatch rows = parsed(bytes, block.start() == 0)) {
      new VectorLoader(root).load(rows);
    }
    return true;
  }

  @Override
  public void close() {
    try {
      reader.close();
    } catch (IOException closed) {
      // It was only read.
    }
  }

  private ArrowBuf read(Block block) throws IOException {
    long size = block.end() - block.start();
    ArrowBuf bytes = allocator.buffer(size);
    try {
      channel.position(block.start());
      long filled = 0;
      int read = 0;
      while (filled < size && read >= 0) {
        int left = (int) Math.min(size - filled, Integer.MAX_VALUE);
        read = channel.read(bytes.nioBuffer(filled, left));
        filled += Math.max(read, 0);
      }
      long found = LongHashFunction.xx3().hashMemory(bytes.memoryAddress(), size);
      if (filled < size || found != block.checksum()) {
        throw ErrorCode.INPUT_LOST.error(
            ErrorDetails.of(
                ErrorCode.INPUT_LOST,
                "a result is what was written: got a block with another checksum",
                taskId));
      }
      return bytes;
    } catch (IOException | RuntimeException failed) {
      bytes.close();
      throw failed;
    }
  }

  /** Reads a block's message; a file's first one has the schema before it. */
  private static ArrowRecordBatch parsed(ArrowBuf bytes, boolean isFirst) throws IOException {
    long at = isFirst ? MAGIC_BYTES : 0;
    if (isFirst) {
      at += PREFIX_BYTES + bytes.getInt(at + Integer.BYTES);
    }
    int length = bytes.getInt(at + Integer.BYTES);
    Message message = Message.getRootAsMessage(bytes.nioBuffer(at + PREFIX_BYTES, length));
    ArrowBuf body = bytes.slice(at + PREFIX_BYTES + length, message.bodyLength());
    // The batch gives its body back when it is closed.
    body.getReferenceManager().retain();
    return MessageSerializer.deserializeRecordBatch(message, body);
  }

  private static List<Block> blocks(LocatedFile told) {
    List<Block> blocks = new ArrayList<>();
    for (LocatedPartition partition : told.getPartitionsList()) {
      for (int at = 0; at < partition.getStartsCount(); at++) {
        blocks.add(
            new Block(partition.getStarts(at), partition.getEnds(at), partition.getChecksums(at)));
      }
    }
    return blocks;
  }

  private static void check(Path path, LocatedFile told) throws IOException {
    Map<String, Object> found =
        Files.readAttributes(path, "unix:ino,size,uid,isRegularFile", LinkOption.NOFOLLOW_LINKS);
    boolean isSame =
        Boolean.TRUE.equals(found.get("isRegularFile"))
            && found.get("ino").equals(told.getInode())
            && found.get("size").equals(told.getSizeBytes())
            && found.get("uid").equals(Files.getAttribute(OWN_PROCESS, "unix:uid"));
    if (!isSame) {
      throw new IOException("a result is the file that was told of: got " + path);
    }
  }

  /** Where a block lies, and what its bytes come to. */
  private record Block(long start, long end, long checksum) {}
}
