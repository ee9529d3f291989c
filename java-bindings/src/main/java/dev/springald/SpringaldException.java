package dev.springald;

import java.util.Arrays;
import java.util.Optional;

/**
 * Everything that goes wrong on purpose, with a code that never changes its meaning.
 *
 * <p>Its four subclasses say whose fault it is, and have a subclass in them for each code.
 *
 * <pre>{@code
 * try (Result result = session.sql("SELECT id FORM orders").fetch()) {
 *   result.printTo(System.out);
 * } catch (SpringaldException error) {
 *   System.err.println(error.getMessage()); // with the line and a caret under the place
 *   if (error.retryable()) {
 *     again();
 *   }
 * }
 * }</pre>
 */
public abstract class SpringaldException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient ErrorDetails details;

  SpringaldException(ErrorDetails details) {
    super(text(details));
    this.details = details;
  }

  /**
   * The stable code, for example {@code SQL_SYNTAX}; one of a later version as {@code CODE_387}.
   */
  public String code() {
    return details.code();
  }

  /** The code, or nothing for one of a later version. */
  public Optional<ErrorCode> errorCode() {
    return Arrays.stream(ErrorCode.values()).filter(c -> c.name().equals(code())).findAny();
  }

  /** Who can do something about it. */
  public Fault fault() {
    return details.fault();
  }

  /** Whether the same request may succeed later without a change. */
  public boolean retryable() {
    return details.retryable();
  }

  /** The rule broken, the value, the place, and what to do; without the code. */
  public String description() {
    return details.message();
  }

  /** The plan node, stage, task or attempt where it happened, or an empty text. */
  public String nodeId() {
    return details.nodeId();
  }

  /** The place in the text of the statement, where it is known. */
  public Optional<Position> position() {
    return Optional.ofNullable(details.position());
  }

  /** The executor on which it happened, or an empty text. */
  public String executorId() {
    return details.executorId();
  }

  /** The engine's own words, unchanged, for a bug report. */
  public String engineMessage() {
    return details.engineMessage();
  }

  ErrorDetails details() {
    return details;
  }

  /** The code, the message and where it happened; a caret stays below what it points at. */
  private static String text(ErrorDetails details) {
    String executor = details.executorId().isEmpty() ? "" : "executor " + details.executorId();
    String comma = details.nodeId().isEmpty() || executor.isEmpty() ? "" : ", ";
    String where = details.nodeId() + comma + executor;
    int newline = details.message().indexOf('\n');
    String first = newline < 0 ? details.message() : details.message().substring(0, newline);
    String rest = newline < 0 ? "" : details.message().substring(newline);
    String at = where.isEmpty() ? "" : " (at " + where + ")";
    return "[" + details.code() + "] " + first + at + rest;
  }
}
