package dev.springald;

/**
 * Springald or its engine broke a promise: please report it.
 *
 * <p>Each code of this fault has a class in here, as in {@code docs/protocol/errors.md}.
 *
 * <pre>{@code
 * try (Result result = session.sql("SELECT 1").fetch()) {
 *   result.printTo(System.out);
 * } catch (BugException.Internal error) {
 *   System.err.println(error.getMessage());
 * }
 * }</pre>
 */
public class BugException extends SpringaldException {
  private static final long serialVersionUID = 1L;

  BugException(ErrorDetails details) {
    super(details);
  }

  /** A promise of Springald or of its engine was broken. */
  public static final class Internal extends BugException {
    private static final long serialVersionUID = 1L;

    Internal(ErrorDetails details) {
      super(details);
    }
  }

  /** A message arrived that the receiver's state does not allow. */
  public static final class UnexpectedMessage extends BugException {
    private static final long serialVersionUID = 1L;

    UnexpectedMessage(ErrorDetails details) {
      super(details);
    }
  }
}
