package dev.springald;

import java.util.Set;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.pojo.Schema;

/** A result under Arrow's own interface. It keeps no batch itself: the result's is handed on. */
final class ResultReader extends ArrowReader {
  private final Result result;
  private long bytes;

  ResultReader(Result result) {
    super(result.job().session().allocator());
    this.result = result;
  }

  @Override
  public VectorSchemaRoot getVectorSchemaRoot() {
    return result.batch();
  }

  @Override
  public boolean loadNextBatch() {
    boolean isThere = result.next();
    if (isThere) {
      bytes +=
          result.batch().getFieldVectors().stream().mapToLong(FieldVector::getBufferSize).sum();
    }
    return isThere;
  }

  @Override
  public Dictionary lookup(long id) {
    return result.dictionaries().lookup(id);
  }

  @Override
  public Set<Long> getDictionaryIds() {
    return result.dictionaries().getDictionaryIds();
  }

  @Override
  public long bytesRead() {
    return bytes;
  }

  @Override
  protected void closeReadSource() {
    result.close();
  }

  @Override
  protected Schema readSchema() {
    return result.batch().getSchema();
  }
}
