package dev.springald;

import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;

/** Where the batches of a result come from: one after the other, each replacing the last. */
interface BatchSource extends AutoCloseable {
  /** The batch that is there; without rows before the first. Its schema is known at once. */
  VectorSchemaRoot root();

  /** The dictionaries of the batch that is there. */
  DictionaryProvider dictionaries();

  /** Brings the next batch; false at the end. */
  boolean next();

  /** Gives up what was not read, and all buffers. */
  @Override
  void close();
}
