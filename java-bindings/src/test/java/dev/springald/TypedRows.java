package dev.springald;

/** The rows of a result value by value, for a program in another language in the same process. */
public final class TypedRows {
  private TypedRows() {}

  /** Reads all rows through {@link dev.springald.Row}; a {@code springald.conformance.v1.Rows}. */
  public static byte[] of(Result result) {
    return Outcomes.rows(result).toByteArray();
  }
}
