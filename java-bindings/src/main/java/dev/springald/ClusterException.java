package dev.springald;

/**
 * A machine, a process, the network or a budget gave way.
 *
 * <p>Each code of this fault has a class in here, as in {@code docs/protocol/errors.md}.
 *
 * <pre>{@code
 * try (Session session = Springald.connect("springald://127.0.0.1:1")) {
 *   session.keep();
 * } catch (ClusterException.SchedulerUnavailable error) {
 *   System.err.println(error.getMessage());
 * }
 * }</pre>
 */
public class ClusterException extends SpringaldException {
  private static final long serialVersionUID = 1L;

  ClusterException(ErrorDetails details) {
    super(details);
  }

  /** No executor could run a task within the named limit. */
  public static final class NoExecutor extends ClusterException {
    private static final long serialVersionUID = 1L;

    NoExecutor(ErrorDetails details) {
      super(details);
    }
  }

  /** An executor that the job needed went away. */
  public static final class ExecutorLost extends ClusterException {
    private static final long serialVersionUID = 1L;

    ExecutorLost(ErrorDetails details) {
      super(details);
    }
  }

  /** The engine process that ran a task died. */
  public static final class TaskLost extends ClusterException {
    private static final long serialVersionUID = 1L;

    TaskLost(ErrorDetails details) {
      super(details);
    }
  }

  /** A task needed more memory than its share. */
  public static final class OutOfMemory extends ClusterException {
    private static final long serialVersionUID = 1L;

    OutOfMemory(ErrorDetails details) {
      super(details);
    }
  }

  /** A folder for spill or shuffle files is full. */
  public static final class OutOfDisk extends ClusterException {
    private static final long serialVersionUID = 1L;

    OutOfDisk(ErrorDetails details) {
      super(details);
    }
  }

  /** An output of another task could not be fetched. */
  public static final class FetchFailed extends ClusterException {
    private static final long serialVersionUID = 1L;

    FetchFailed(ErrorDetails details) {
      super(details);
    }
  }

  /** An output of another task is gone and has to be made again. */
  public static final class InputLost extends ClusterException {
    private static final long serialVersionUID = 1L;

    InputLost(ErrorDetails details) {
      super(details);
    }
  }

  /** The scheduler cannot be reached. */
  public static final class SchedulerUnavailable extends ClusterException {
    private static final long serialVersionUID = 1L;

    SchedulerUnavailable(ErrorDetails details) {
      super(details);
    }
  }

  /** The scheduler restarted and does not know the session or job any more. */
  public static final class SchedulerRestarted extends ClusterException {
    private static final long serialVersionUID = 1L;

    SchedulerRestarted(ErrorDetails details) {
      super(details);
    }
  }

  /** Something took longer than its limit. */
  public static final class DeadlineExceeded extends ClusterException {
    private static final long serialVersionUID = 1L;

    DeadlineExceeded(ErrorDetails details) {
      super(details);
    }
  }

  /** A queue is full. */
  public static final class Overloaded extends ClusterException {
    private static final long serialVersionUID = 1L;

    Overloaded(ErrorDetails details) {
      super(details);
    }
  }

  /** The executor's engine, Python version or architecture differs from the cluster's. */
  public static final class EngineMismatch extends ClusterException {
    private static final long serialVersionUID = 1L;

    EngineMismatch(ErrorDetails details) {
      super(details);
    }
  }

  /** The executor sends rows to other partitions than the cluster does for the same keys. */
  public static final class RoutingMismatch extends ClusterException {
    private static final long serialVersionUID = 1L;

    RoutingMismatch(ErrorDetails details) {
      super(details);
    }
  }

  /** An address could not be bound. */
  public static final class AddressInUse extends ClusterException {
    private static final long serialVersionUID = 1L;

    AddressInUse(ErrorDetails details) {
      super(details);
    }
  }

  /** Reading or writing failed in a way that may pass. */
  public static final class IoFailed extends ClusterException {
    private static final long serialVersionUID = 1L;

    IoFailed(ErrorDetails details) {
      super(details);
    }
  }

  /** Another scheduler of the cluster leads. */
  public static final class NotLeader extends ClusterException {
    private static final long serialVersionUID = 1L;

    NotLeader(ErrorDetails details) {
      super(details);
    }

    /** Where the one is that leads; empty if that is not known. */
    public String leaderAddress() {
      return details().leaderAddress();
    }
  }
}
