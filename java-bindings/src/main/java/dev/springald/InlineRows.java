package dev.springald;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.apache.arrow.vector.types.pojo.Schema;

/** The rows of a small result, which came with its job's last news. */
final class InlineRows implements BatchSource {
  private final ArrowStreamReader reader;
  private final VectorSchemaRoot root;

  InlineRows(ByteString stream, BufferAllocator allocator) {
    if (stream.isEmpty()) {
      // A statement without rows.
      this.reader = null;
      this.root = VectorSchemaRoot.create(new Schema(List.of()), allocator);
      return;
    }
    this.reader = new ArrowStreamReader(stream.newInput(), allocator);
    try {
      this.root = reader.getVectorSchemaRoot();
    } catch (IOException | RuntimeException broken) {
      close();
      throw garbled(broken);
    }
  }

  @Override
  public VectorSchemaRoot root() {
    return root;
  }

  @Override
  public DictionaryProvider dictionaries() {
    return reader == null ? new DictionaryProvider.MapDictionaryProvider() : reader;
  }

  @Override
  public boolean next() {
    try {
      return reader != null && reader.loadNextBatch();
    } catch (IOException broken) {
      throw garbled(broken);
    }
  }

  @Override
  public void close() {
    if (reader == null) {
      root.close();
      return;
    }
    try {
      reader.close();
    } catch (IOException broken) {
      throw garbled(broken);
    }
  }

  private static SpringaldException garbled(Exception broken) {
    return ErrorCode.MESSAGE_GARBLED.error(
        "inline rows are an Arrow stream: got one that does not decode: " + broken.getMessage());
  }
}
