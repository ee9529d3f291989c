package dev.springald;

/**
 * The data did not fit the request: mend it, or ask differently.
 *
 * <p>Each code of this fault has a class in here, as in {@code docs/protocol/errors.md}.
 *
 * <pre>{@code
 * try (Result result = session.sql("SELECT CAST('x' AS INT)").fetch()) {
 *   result.printTo(System.out);
 * } catch (DataException.CastFailed error) {
 *   System.err.println(error.getMessage());
 * }
 * }</pre>
 */
public class DataException extends SpringaldException {
  private static final long serialVersionUID = 1L;

  DataException(ErrorDetails details) {
    super(details);
  }

  /** A table's file or folder is not there. */
  public static final class FileNotFound extends DataException {
    private static final long serialVersionUID = 1L;

    FileNotFound(ErrorDetails details) {
      super(details);
    }
  }

  /** A file's contents are not what its format promises. */
  public static final class FileCorrupt extends DataException {
    private static final long serialVersionUID = 1L;

    FileCorrupt(ErrorDetails details) {
      super(details);
    }
  }

  /** A file changed between planning and reading. */
  public static final class FileChanged extends DataException {
    private static final long serialVersionUID = 1L;

    FileChanged(ErrorDetails details) {
      super(details);
    }
  }

  /** A value cannot be converted to the type asked for. */
  public static final class CastFailed extends DataException {
    private static final long serialVersionUID = 1L;

    CastFailed(ErrorDetails details) {
      super(details);
    }
  }

  /** A number was divided by zero. */
  public static final class DivisionByZero extends DataException {
    private static final long serialVersionUID = 1L;

    DivisionByZero(ErrorDetails details) {
      super(details);
    }
  }

  /** A result does not fit its type. */
  public static final class ArithmeticOverflow extends DataException {
    private static final long serialVersionUID = 1L;

    ArithmeticOverflow(ErrorDetails details) {
      super(details);
    }
  }

  /** The data made the query fail for a reason without a code of its own. */
  public static final class DataInvalid extends DataException {
    private static final long serialVersionUID = 1L;

    DataInvalid(ErrorDetails details) {
      super(details);
    }
  }
}
