package dev.springald;

import com.google.protobuf.ByteString;
import java.io.IOException;
import org.apache.arrow.flatbuf.MessageHeader;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * One part of a result on its way from an executor. A few messages are fetched ahead, and no more
 * before they are read.
 */
final class FlightRows implements BatchSource {
  private final String address;
  private final long timeoutMs;
  private final FlightCall call;
  private final Reader reader;
  private final VectorSchemaRoot root;
  private long bytes;
  private boolean ended;

  FlightRows(FlightConnections connections, String address, byte[] ticket) {
    this.address = address;
    this.timeoutMs = connections.options().rowsTimeout().toMillis();
    Flight.Ticket shown = Flight.Ticket.newBuilder().setTicket(ByteString.copyFrom(ticket)).build();
    this.call = new FlightCall(connections.channel(address), shown);
    this.reader = new Reader(connections);
    try {
      this.root = reader.getVectorSchemaRoot();
    } catch (IOException broken) {
      close();
      throw garbled(broken);
    } catch (RuntimeException failed) {
      close();
      throw failed;
    }
  }

  @Override
  public VectorSchemaRoot root() {
    return root;
  }

  @Override
  public DictionaryProvider dictionaries() {
    return reader;
  }

  @Override
  public boolean next() {
    try {
      return reader.loadNextBatch();
    } catch (IOException broken) {
      throw garbled(broken);
    }
  }

  @Override
  public void close() {
    try {
      reader.close();
    } catch (IOException closed) {
      // The call was given up: how it ended does not matter.
    }
  }

  /** Waits for the next message, but not for ever; null at a good end. */
  private FlightMessage message() throws IOException {
    if (ended) {
      return null;
    }
    try (FlightCall.Event event = call.next(timeoutMs)) {
      if (event == null) {
        throw silence();
      }
      if (event.message() != null) {
        FlightMessage message = FlightMessage.read(event.message(), reader.allocator());
        bytes += message.body().capacity();
        return message;
      }
      ended = true;
      if (event.status().isOk()) {
        return null;
      }
      throw ErrorCodec.fromFlight(event.status(), event.trailers(), address);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw ErrorCode.CANCELLED.error("waiting for rows from " + address + " was interrupted");
    }
  }

  private SpringaldException silence() {
    return ErrorCode.FETCH_FAILED.error(
        "rows of a result must keep coming: got none from "
            + address
            + " for "
            + timeoutMs
            + " ms; run the query again");
  }

  private SpringaldException garbled(IOException broken) {
    return ErrorCode.MESSAGE_GARBLED.error(
        "the Flight server at "
            + address
            + " sends rows as an Arrow stream: got one that does not decode: "
            + broken.getMessage());
  }

  /** Makes batches of the messages. */
  private final class Reader extends ArrowReader {
    Reader(FlightConnections connections) {
      super(connections.allocator());
    }

    org.apache.arrow.memory.BufferAllocator allocator() {
      return allocator;
    }

    @Override
    public boolean loadNextBatch() throws IOException {
      prepareLoadNextBatch();
      for (FlightMessage next = message(); next != null; next = message()) {
        switch (headerType(next)) {
          case MessageHeader.RecordBatch -> {
            loadRecordBatch(MessageSerializer.deserializeRecordBatch(next.header(), next.body()));
            return true;
          }
          case MessageHeader.DictionaryBatch ->
              loadDictionary(
                  MessageSerializer.deserializeDictionaryBatch(next.header(), next.body()));
          // Metadata of Flight, which executors do not send.
          default -> next.body().close();
        }
      }
      return false;
    }

    @Override
    public long bytesRead() {
      return bytes;
    }

    @Override
    protected void closeReadSource() {
      call.close("not wanted any more");
    }

    @Override
    protected Schema readSchema() throws IOException {
      FlightMessage first = message();
      if (first == null || headerType(first) != MessageHeader.Schema) {
        throw new IOException("no schema at its start");
      }
      first.body().close();
      return MessageSerializer.deserializeSchema(first.header());
    }

    private byte headerType(FlightMessage message) {
      return message.header() == null ? MessageHeader.NONE : message.header().headerType();
    }
  }
}
