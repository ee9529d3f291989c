package dev.springald;

/**
 * The request was wrong: change it and try again.
 *
 * <p>Each code of this fault has a class in here, as in {@code docs/protocol/errors.md}.
 *
 * <pre>{@code
 * try (Result result = session.sql("SELECT * FROM nowhere").fetch()) {
 *   result.printTo(System.out);
 * } catch (CallerException.UnknownTable error) {
 *   System.err.println(error.getMessage());
 * }
 * }</pre>
 */
public class CallerException extends SpringaldException {
  private static final long serialVersionUID = 1L;

  CallerException(ErrorDetails details) {
    super(details);
  }

  /** A field of the request is missing, malformed or out of its range. */
  public static final class InvalidArgument extends CallerException {
    private static final long serialVersionUID = 1L;

    InvalidArgument(ErrorDetails details) {
      super(details);
    }
  }

  /** The SQL text does not parse. */
  public static final class SqlSyntax extends CallerException {
    private static final long serialVersionUID = 1L;

    SqlSyntax(ErrorDetails details) {
      super(details);
    }
  }

  /** The statement names a table or view that the session does not have. */
  public static final class UnknownTable extends CallerException {
    private static final long serialVersionUID = 1L;

    UnknownTable(ErrorDetails details) {
      super(details);
    }
  }

  /** The statement names a column that its tables do not have. */
  public static final class UnknownColumn extends CallerException {
    private static final long serialVersionUID = 1L;

    UnknownColumn(ErrorDetails details) {
      super(details);
    }
  }

  /** The statement calls a function that the engine does not have. */
  public static final class UnknownFunction extends CallerException {
    private static final long serialVersionUID = 1L;

    UnknownFunction(ErrorDetails details) {
      super(details);
    }
  }

  /** The statement combines types that the engine cannot bring together. */
  public static final class TypeMismatch extends CallerException {
    private static final long serialVersionUID = 1L;

    TypeMismatch(ErrorDetails details) {
      super(details);
    }
  }

  /** The statement parses but does not plan. */
  public static final class InvalidQuery extends CallerException {
    private static final long serialVersionUID = 1L;

    InvalidQuery(ErrorDetails details) {
      super(details);
    }
  }

  /** The request is understood and not offered by this version. */
  public static final class Unsupported extends CallerException {
    private static final long serialVersionUID = 1L;

    Unsupported(ErrorDetails details) {
      super(details);
    }
  }

  /** A query or plan is nested deeper than its limit. */
  public static final class PlanTooDeep extends CallerException {
    private static final long serialVersionUID = 1L;

    PlanTooDeep(ErrorDetails details) {
      super(details);
    }
  }

  /** A query or plan has more bytes or nodes than its limit. */
  public static final class PlanTooLarge extends CallerException {
    private static final long serialVersionUID = 1L;

    PlanTooLarge(ErrorDetails details) {
      super(details);
    }
  }

  /** A table or view of this name exists. */
  public static final class TableExists extends CallerException {
    private static final long serialVersionUID = 1L;

    TableExists(ErrorDetails details) {
      super(details);
    }
  }

  /** No setting has this name. */
  public static final class UnknownSetting extends CallerException {
    private static final long serialVersionUID = 1L;

    UnknownSetting(ErrorDetails details) {
      super(details);
    }
  }

  /** The setting keeps answers right and cannot be changed by a session. */
  public static final class ProtectedSetting extends CallerException {
    private static final long serialVersionUID = 1L;

    ProtectedSetting(ErrorDetails details) {
      super(details);
    }
  }

  /** The setting does not take this value. */
  public static final class InvalidSetting extends CallerException {
    private static final long serialVersionUID = 1L;

    InvalidSetting(ErrorDetails details) {
      super(details);
    }
  }

  /** The path or URL lies outside the places that the cluster may read. */
  public static final class PathNotAllowed extends CallerException {
    private static final long serialVersionUID = 1L;

    PathNotAllowed(ErrorDetails details) {
      super(details);
    }
  }

  /** The session does not exist, was closed, or expired. */
  public static final class SessionNotFound extends CallerException {
    private static final long serialVersionUID = 1L;

    SessionNotFound(ErrorDetails details) {
      super(details);
    }
  }

  /** The job does not exist, or was released. */
  public static final class JobNotFound extends CallerException {
    private static final long serialVersionUID = 1L;

    JobNotFound(ErrorDetails details) {
      super(details);
    }
  }

  /** The operation id is in use for another statement. */
  public static final class OperationConflict extends CallerException {
    private static final long serialVersionUID = 1L;

    OperationConflict(ErrorDetails details) {
      super(details);
    }
  }

  /** The job was cancelled. */
  public static final class Cancelled extends CallerException {
    private static final long serialVersionUID = 1L;

    Cancelled(ErrorDetails details) {
      super(details);
    }
  }

  /** A ticket was not signed by this cluster, or does not open what it was shown for. */
  public static final class TicketInvalid extends CallerException {
    private static final long serialVersionUID = 1L;

    TicketInvalid(ErrorDetails details) {
      super(details);
    }
  }

  /** A ticket was valid once. */
  public static final class TicketExpired extends CallerException {
    private static final long serialVersionUID = 1L;

    TicketExpired(ErrorDetails details) {
      super(details);
    }
  }

  /** A message is larger than its limit. */
  public static final class MessageTooLarge extends CallerException {
    private static final long serialVersionUID = 1L;

    MessageTooLarge(ErrorDetails details) {
      super(details);
    }
  }

  /** A message does not decode. */
  public static final class MessageGarbled extends CallerException {
    private static final long serialVersionUID = 1L;

    MessageGarbled(ErrorDetails details) {
      super(details);
    }
  }

  /** The two sides speak different versions of the protocol. */
  public static final class ProtocolMismatch extends CallerException {
    private static final long serialVersionUID = 1L;

    ProtocolMismatch(ErrorDetails details) {
      super(details);
    }
  }
}
