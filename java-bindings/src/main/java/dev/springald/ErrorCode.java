package dev.springald;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What may happen: the codes of {@code springald.error.v1}, which never change their meaning.
 *
 * <pre>{@code
 * if (error.errorCode().equals(Optional.of(ErrorCode.UNKNOWN_TABLE))) {
 *   session.registerParquet("orders", "/data/orders");
 * }
 * }</pre>
 */
public enum ErrorCode {
  /** A field of the request is missing, malformed or out of its range. */
  INVALID_ARGUMENT(100, Fault.CALLER, false, CallerException.InvalidArgument::new),
  /** The SQL text does not parse. */
  SQL_SYNTAX(101, Fault.CALLER, false, CallerException.SqlSyntax::new),
  /** The statement names a table or view that the session does not have. */
  UNKNOWN_TABLE(102, Fault.CALLER, false, CallerException.UnknownTable::new),
  /** The statement names a column that its tables do not have. */
  UNKNOWN_COLUMN(103, Fault.CALLER, false, CallerException.UnknownColumn::new),
  /** The statement calls a function that the engine does not have. */
  UNKNOWN_FUNCTION(104, Fault.CALLER, false, CallerException.UnknownFunction::new),
  /** The statement combines types that the engine cannot bring together. */
  TYPE_MISMATCH(105, Fault.CALLER, false, CallerException.TypeMismatch::new),
  /** The statement parses but does not plan. */
  INVALID_QUERY(106, Fault.CALLER, false, CallerException.InvalidQuery::new),
  /** The request is understood and not offered by this version. */
  UNSUPPORTED(107, Fault.CALLER, false, CallerException.Unsupported::new),
  /** A query or plan is nested deeper than its limit. */
  PLAN_TOO_DEEP(108, Fault.CALLER, false, CallerException.PlanTooDeep::new),
  /** A query or plan has more bytes or nodes than its limit. */
  PLAN_TOO_LARGE(109, Fault.CALLER, false, CallerException.PlanTooLarge::new),
  /** A table or view of this name exists. */
  TABLE_EXISTS(110, Fault.CALLER, false, CallerException.TableExists::new),
  /** No setting has this name. */
  UNKNOWN_SETTING(111, Fault.CALLER, false, CallerException.UnknownSetting::new),
  /** The setting keeps answers right and cannot be changed by a session. */
  PROTECTED_SETTING(112, Fault.CALLER, false, CallerException.ProtectedSetting::new),
  /** The setting does not take this value. */
  INVALID_SETTING(113, Fault.CALLER, false, CallerException.InvalidSetting::new),
  /** The path or URL lies outside the places that the cluster may read. */
  PATH_NOT_ALLOWED(114, Fault.CALLER, false, CallerException.PathNotAllowed::new),
  /** The session does not exist, was closed, or expired. */
  SESSION_NOT_FOUND(115, Fault.CALLER, false, CallerException.SessionNotFound::new),
  /** The job does not exist, or was released. */
  JOB_NOT_FOUND(116, Fault.CALLER, false, CallerException.JobNotFound::new),
  /** The operation id is in use for another statement. */
  OPERATION_CONFLICT(117, Fault.CALLER, false, CallerException.OperationConflict::new),
  /** The job was cancelled. */
  CANCELLED(118, Fault.CALLER, false, CallerException.Cancelled::new),
  /** A ticket was not signed by this cluster, or does not open what it was shown for. */
  TICKET_INVALID(119, Fault.CALLER, false, CallerException.TicketInvalid::new),
  /** A ticket was valid once. */
  TICKET_EXPIRED(120, Fault.CALLER, true, CallerException.TicketExpired::new),
  /** A message is larger than its limit. */
  MESSAGE_TOO_LARGE(121, Fault.CALLER, false, CallerException.MessageTooLarge::new),
  /** A message does not decode. */
  MESSAGE_GARBLED(122, Fault.CALLER, false, CallerException.MessageGarbled::new),
  /** The two sides speak different versions of the protocol. */
  PROTOCOL_MISMATCH(123, Fault.CALLER, false, CallerException.ProtocolMismatch::new),
  /** A table's file or folder is not there. */
  FILE_NOT_FOUND(200, Fault.DATA, false, DataException.FileNotFound::new),
  /** A file's contents are not what its format promises. */
  FILE_CORRUPT(201, Fault.DATA, false, DataException.FileCorrupt::new),
  /** A file changed between planning and reading. */
  FILE_CHANGED(202, Fault.DATA, true, DataException.FileChanged::new),
  /** A value cannot be converted to the type asked for. */
  CAST_FAILED(203, Fault.DATA, false, DataException.CastFailed::new),
  /** A number was divided by zero. */
  DIVISION_BY_ZERO(204, Fault.DATA, false, DataException.DivisionByZero::new),
  /** A result does not fit its type. */
  ARITHMETIC_OVERFLOW(205, Fault.DATA, false, DataException.ArithmeticOverflow::new),
  /** The data made the query fail for a reason without a code of its own. */
  DATA_INVALID(206, Fault.DATA, false, DataException.DataInvalid::new),
  /** No executor could run a task within the named limit. */
  NO_EXECUTOR(300, Fault.CLUSTER, true, ClusterException.NoExecutor::new),
  /** An executor that the job needed went away. */
  EXECUTOR_LOST(301, Fault.CLUSTER, true, ClusterException.ExecutorLost::new),
  /** The engine process that ran a task died. */
  TASK_LOST(302, Fault.CLUSTER, true, ClusterException.TaskLost::new),
  /** A task needed more memory than its share. */
  OUT_OF_MEMORY(303, Fault.CLUSTER, false, ClusterException.OutOfMemory::new),
  /** A folder for spill or shuffle files is full. */
  OUT_OF_DISK(304, Fault.CLUSTER, true, ClusterException.OutOfDisk::new),
  /** An output of another task could not be fetched. */
  FETCH_FAILED(305, Fault.CLUSTER, true, ClusterException.FetchFailed::new),
  /** An output of another task is gone and has to be made again. */
  INPUT_LOST(306, Fault.CLUSTER, true, ClusterException.InputLost::new),
  /** The scheduler cannot be reached. */
  SCHEDULER_UNAVAILABLE(307, Fault.CLUSTER, true, ClusterException.SchedulerUnavailable::new),
  /** The scheduler restarted and does not know the session or job any more. */
  SCHEDULER_RESTARTED(308, Fault.CLUSTER, true, ClusterException.SchedulerRestarted::new),
  /** Something took longer than its limit. */
  DEADLINE_EXCEEDED(309, Fault.CLUSTER, true, ClusterException.DeadlineExceeded::new),
  /** A queue is full. */
  OVERLOADED(310, Fault.CLUSTER, true, ClusterException.Overloaded::new),
  /** The executor's engine, Python version or architecture differs from the cluster's. */
  ENGINE_MISMATCH(311, Fault.CLUSTER, false, ClusterException.EngineMismatch::new),
  /** The executor sends rows to other partitions than the cluster does for the same keys. */
  ROUTING_MISMATCH(312, Fault.CLUSTER, false, ClusterException.RoutingMismatch::new),
  /** An address could not be bound. */
  ADDRESS_IN_USE(313, Fault.CLUSTER, false, ClusterException.AddressInUse::new),
  /** Reading or writing failed in a way that may pass. */
  IO_FAILED(314, Fault.CLUSTER, true, ClusterException.IoFailed::new),
  /** Another scheduler of the cluster leads. */
  NOT_LEADER(315, Fault.CLUSTER, true, ClusterException.NotLeader::new),
  /** A promise of Springald or of its engine was broken. */
  INTERNAL(400, Fault.BUG, false, BugException.Internal::new),
  /** A message arrived that the receiver's state does not allow. */
  UNEXPECTED_MESSAGE(401, Fault.BUG, false, BugException.UnexpectedMessage::new);

  private static final Map<Integer, ErrorCode> BY_NUMBER = new HashMap<>();

  static {
    for (ErrorCode code : values()) {
      BY_NUMBER.put(code.number, code);
    }
  }

  private final int number;
  private final Fault fault;
  private final boolean retryable;
  private final Function<ErrorDetails, SpringaldException> maker;

  ErrorCode(
      int number,
      Fault fault,
      boolean retryable,
      Function<ErrorDetails, SpringaldException> maker) {
    this.number = number;
    this.fault = fault;
    this.retryable = retryable;
    this.maker = maker;
  }

  /** The code of a number of the protocol, or nothing for one of a later version. */
  static Optional<ErrorCode> ofNumber(int number) {
    return Optional.ofNullable(BY_NUMBER.get(number));
  }

  /** The number in the protocol; its first digit says whose fault it is. */
  public int number() {
    return number;
  }

  /** Who can do something about it. */
  public Fault fault() {
    return fault;
  }

  /** Whether the same request may succeed later without a change. */
  public boolean retryable() {
    return retryable;
  }

  /** Makes an error that was noticed here. */
  SpringaldException error(String message) {
    return maker.apply(ErrorDetails.of(this, message));
  }

  /** Makes an error that was noticed elsewhere. */
  SpringaldException error(ErrorDetails details) {
    return maker.apply(details);
  }
}
