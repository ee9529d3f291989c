package dev.springald;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryEncoder;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.pojo.Schema;
import springald.scheduler.v1.Scheduler.PrepareUploadRequest;
import springald.scheduler.v1.Scheduler.PrepareUploadResponse;
import springald.scheduler.v1.Scheduler.RegisterUploadRequest;
import springald.scheduler.v1.SchedulerServiceGrpc.SchedulerServiceBlockingStub;

/** Rows in this process's memory, on their way to the cluster. */
final class Uploads {
  private final Session session;

  private Uploads(Session session) {
    this.session = session;
  }

  static TableInfo send(Session session, String name, VectorSchemaRoot rows) {
    long bytes = rows.getFieldVectors().stream().mapToLong(FieldVector::getBufferSize).sum();
    return new Uploads(session).send(name, bytes, Rows.of(rows));
  }

  static TableInfo send(Session session, String name, ArrowReader rows) {
    return new Uploads(session).send(name, 0, Rows.of(rows));
  }

  private TableInfo send(String name, long bytesExpected, Rows rows) {
    Checks.text(name, "a table's name");
    PrepareUploadResponse prepared =
        session.call(
            SchedulerServiceBlockingStub::prepareUpload,
            PrepareUploadRequest.newBuilder()
                .setSessionId(session.id())
                .setBytesExpected(bytesExpected)
                .build());
    Schema schema = stored(prepared, rows);
    RegisterUploadRequest register =
        RegisterUploadRequest.newBuilder()
            .setSessionId(session.id())
            .setName(name)
            .setUploadId(prepared.getUploadId())
            .setSchema(TypeCodec.schemaToProto(schema))
            .build();
    return TableInfo.fromProto(
        session.call(SchedulerServiceBlockingStub::registerUpload, register).getTable());
  }

  /** Sends all batches, and returns their schema. */
  private Schema stored(PrepareUploadResponse prepared, Rows rows) {
    try (UploadStream stream = new UploadStream(session.transport().flight(), prepared)) {
      Schema schema = null;
      boolean isFirst = true;
      while (rows.next() || isFirst) {
        try (Decoded batch = decoded(rows.root(), rows.dictionaries())) {
          schema = batch.root().getSchema();
          TypeCodec.schemaToProto(schema);
          stream.send(batch.root());
        }
        isFirst = false;
      }
      stream.complete();
      return schema;
    } catch (IOException unreadable) {
      throw ErrorCode.INVALID_ARGUMENT.error(
          "rows can be read: got '" + unreadable.getMessage() + "' while sending them");
    }
  }

  /** Replaces dictionary columns by their values, as the cluster keeps them. */
  private static Decoded decoded(VectorSchemaRoot root, DictionaryProvider dictionaries) {
    List<FieldVector> columns = new ArrayList<>();
    List<FieldVector> made = new ArrayList<>();
    for (FieldVector column : root.getFieldVectors()) {
      if (column.getField().getDictionary() == null) {
        columns.add(column);
        continue;
      }
      long id = column.getField().getDictionary().getId();
      BufferAllocator allocator = column.getAllocator();
      FieldVector values =
          (FieldVector) DictionaryEncoder.decode(column, dictionaries.lookup(id), allocator);
      made.add(values);
      columns.add(named(values, column.getName(), allocator, made));
    }
    Schema schema = new Schema(columns.stream().map(FieldVector::getField).toList());
    return new Decoded(
        made.isEmpty() ? root : new VectorSchemaRoot(schema, columns, root.getRowCount()), made);
  }

  private static FieldVector named(
      FieldVector values, String name, BufferAllocator allocator, List<FieldVector> made) {
    var transfer = values.getTransferPair(name, allocator);
    transfer.transfer();
    made.add((FieldVector) transfer.getTo());
    return (FieldVector) transfer.getTo();
  }

  /** A batch, and the vectors that were made for it. */
  private record Decoded(VectorSchemaRoot root, List<FieldVector> made) implements AutoCloseable {
    @Override
    public void close() {
      made.forEach(FieldVector::close);
    }
  }

  /** Batches that are the caller's, one after the other. */
  private interface Rows {
    boolean next() throws IOException;

    VectorSchemaRoot root() throws IOException;

    DictionaryProvider dictionaries();

    static Rows of(VectorSchemaRoot batch) {
      return new Rows() {
        private boolean taken;

        @Override
        public boolean next() {
          boolean isNew = !taken;
          taken = true;
          return isNew;
        }

        @Override
        public VectorSchemaRoot root() {
          return batch;
        }

        @Override
        public DictionaryProvider dictionaries() {
          return new DictionaryProvider.MapDictionaryProvider();
        }
      };
    }

    static Rows of(ArrowReader reader) {
      return new Rows() {
        @Override
        public boolean next() throws IOException {
          return reader.loadNextBatch();
        }

        @Override
        public VectorSchemaRoot root() throws IOException {
          return reader.getVectorSchemaRoot();
        }

        @Override
        public DictionaryProvider dictionaries() {
          return reader;
        }
      };
    }
  }
}
