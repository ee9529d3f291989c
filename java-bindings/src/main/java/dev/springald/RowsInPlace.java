package dev.springald;

import com.google.protobuf.InvalidProtocolBufferException;
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
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.flight.Action;
import org.apache.arrow.flight.CallOptions;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightRuntimeException;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowFileReader;
import org.apache.arrow.vector.ipc.message.ArrowBlock;
import org.apache.arrow.vector.types.pojo.Schema;
import springald.executor.v1.Files.LocatedFile;
import springald.executor.v1.Files.LocatedFiles;
import springald.executor.v1.Files.LocatedPartition;

/**
 * One part of a result that lies on this host: read from its files instead of over Flight (P5.6).
 *
 * <p>The files are open from the start, so that they are there until they are read, also if the job
 * is released or the executor ends.
 */
final class RowsInPlace implements BatchSource {
  private static final String LOCATE = "locate";
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
  private static final Path OWN_PROCESS = Path.of("/proc/self");

  /** Metadata of a file whose rows have other types than the client was promised. */
  private static final String RESULT_SCHEMA = "springald:result_schema";

  private final List<LocatedRows> files;
  private int number;

  private RowsInPlace(List<LocatedRows> files) {
    this.files = files;
  }

  /** Opens the files in which the rows of a ticket lie; nothing if they have to be fetched. */
  static Optional<BatchSource> open(FlightClient client, byte[] ticket, BufferAllocator allocator) {
    List<LocatedRows> opened = new ArrayList<>();
    try {
      LocatedFiles told = locate(client, ticket);
      boolean isHere = !told.getHostId().isEmpty() && told.getHostId().equals(hostId());
      for (LocatedFile file : isHere ? told.getFilesList() : List.<LocatedFile>of()) {
        opened.add(LocatedRows.open(file, allocator));
      }
      if (opened.stream().noneMatch(LocatedRows::isOther) && !opened.isEmpty()) {
        return Optional.of(new RowsInPlace(opened));
      }
    } catch (IOException | FlightRuntimeException | UnsupportedOperationException elsewhere) {
      // Another host, another user, or an executor that does not tell.
    }
    opened.forEach(LocatedRows::close);
    return Optional.empty();
  }

  @Override
  public VectorSchemaRoot root() {
    return files.get(number).root();
  }

  @Override
  public DictionaryProvider dictionaries() {
    return files.get(number).reader;
  }

  @Override
  public boolean next() {
    try {
      while (!files.get(number).next()) {
        if (number + 1 == files.size()) {
          return false;
        }
        number++;
      }
      return true;
    } catch (IOException broken) {
      throw ErrorCode.FETCH_FAILED.error(
          "a file of a result can be read to its end: got '"
              + broken.getMessage()
              + "'; run the query again");
    }
  }

  @Override
  public void close() {
    files.forEach(LocatedRows::close);
  }

  private static LocatedFiles locate(FlightClient client, byte[] ticket)
      throws InvalidProtocolBufferException {
    Iterator<org.apache.arrow.flight.Result> answers =
        client.doAction(
            new Action(LOCATE, ticket),
            CallOptions.timeout(Limits.LOCATE_MAX.toMillis(), TimeUnit.MILLISECONDS));
    LocatedFiles told = LocatedFiles.getDefaultInstance();
    while (answers.hasNext()) {
      told = LocatedFiles.parseFrom(answers.next().getBody());
    }
    return told;
  }

  private static String hostId() throws IOException {
    return Files.readString(BOOT_ID).strip();
  }

  /** One file, opened and proved to be the one that the executor told of. */
  private static final class LocatedRows implements AutoCloseable {
    private final ArrowFileReader reader;
    private final Iterator<ArrowBlock> blocks;

    private LocatedRows(ArrowFileReader reader, Iterator<ArrowBlock> blocks) {
      this.reader = reader;
      this.blocks = blocks;
    }

    static LocatedRows open(LocatedFile told, BufferAllocator allocator) throws IOException {
      Path path = Path.of(told.getPath());
      // Looked at on both sides of opening: what is opened in between is the same file.
      check(path, told);
      FileChannel channel =
          FileChannel.open(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
      ArrowFileReader reader = new ArrowFileReader(channel, allocator);
      try {
        check(path, told);
        List<ArrowBlock> all = reader.getRecordBlocks();
        List<ArrowBlock> wanted = new ArrayList<>();
        for (LocatedPartition partition : told.getPartitionsList()) {
          partition.getNumbersList().forEach(block -> wanted.add(all.get(block)));
        }
        reader.getVectorSchemaRoot();
        return new LocatedRows(reader, wanted.iterator());
      } catch (IOException | RuntimeException failed) {
        reader.close();
        throw failed;
      }
    }

    /** Whether the types are not those that the client was promised. */
    boolean isOther() {
      Schema schema = root().getSchema();
      Map<String, String> metadata = schema.getCustomMetadata();
      return metadata != null && metadata.containsKey(RESULT_SCHEMA);
    }

    VectorSchemaRoot root() {
      try {
        return reader.getVectorSchemaRoot();
      } catch (IOException read) {
        throw new IllegalStateException("the schema was read when the file was opened", read);
      }
    }

    boolean next() throws IOException {
      return blocks.hasNext() && reader.loadRecordBatch(blocks.next());
    }

    @Override
    public void close() {
      try {
        reader.close();
      } catch (IOException closed) {
        // It was only read.
      }
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
  }
}
