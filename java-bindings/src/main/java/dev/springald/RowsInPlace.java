package dev.springald;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.flight.Action;
import org.apache.arrow.flight.CallOptions;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import springald.executor.v1.Files.LocatedFile;
import springald.executor.v1.Files.LocatedFiles;

/**
 * One part of a result that lies on this host: read from its files instead of over Flight (P5.6).
 *
 * <p>The files are open from the start, so that they are there until they are read, also if the job
 * is released or the executor ends.
 */
final class RowsInPlace implements BatchSource {
  private static final String LOCATE = "locate";
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

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
    } catch (IOException | RuntimeException elsewhere) {
      // Another host, another user, or an executor that does not tell. Files whose rows have other
      // types than were promised end here too: Arrow for Java refuses the bytes of their schema.
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
    return files.get(number).dictionaries();
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
}
