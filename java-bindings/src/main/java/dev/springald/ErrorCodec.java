package dev.springald;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.apache.arrow.flight.CallStatus;
import org.apache.arrow.flight.ErrorFlightMetadata;
import org.apache.arrow.flight.FlightRuntimeException;
import org.apache.arrow.flight.FlightStatusCode;
import springald.error.v1.ErrorOuterClass;

/** Errors as they come over the wire, made into exceptions. */
final class ErrorCodec {
  private static final Metadata.Key<byte[]> TRAILER =
      Metadata.Key.of("springald-error-bin", Metadata.BINARY_BYTE_MARSHALLER);

  /** Where Flight servers put the extra information of an error. */
  private static final String FLIGHT_TRAILER = "grpc-status-details-bin";

  private static final Metadata.Key<byte[]> FLIGHT_DETAILS =
      Metadata.Key.of(FLIGHT_TRAILER, Metadata.BINARY_BYTE_MARSHALLER);

  private static final int TEXT_CHARACTERS_MAX = 256;

  private ErrorCodec() {}

  /**
   * Makes the error that a message carries; a code of a later version becomes its fault's class.
   */
  static SpringaldException fromProto(ErrorOuterClass.Error message) {
    int number = message.getCodeValue() == 0 ? ErrorCode.INTERNAL.number() : message.getCodeValue();
    ErrorCode known = ErrorCode.ofNumber(number).orElse(null);
    Fault fault = known != null ? known.fault() : fault(message.getFault());
    Position position =
        message.hasPosition()
            ? new Position(message.getPosition().getLine(), message.getPosition().getColumn())
            : null;
    ErrorDetails details =
        new ErrorDetails(
            known != null ? known.name() : "CODE_" + number,
            fault,
            message.getRetryable(),
            message.getMessage(),
            message.getNodeId(),
            position,
            message.getExecutorId(),
            message.getEngineMessage(),
            message.getLeaderAddress());
    return known != null ? known.error(details) : ofFault(details);
  }

  /**
   * Makes the error that a failed call carries; for one without our trailer, what gRPC knows.
   *
   * @param failure what a stub raised
   * @param peer who was called, for people
   * @param tried what was asked, and how long was waited; may be empty
   */
  static SpringaldException fromRpc(Throwable failure, String peer, String tried) {
    if (failure instanceof SpringaldException typed) {
      return typed;
    }
    Status status = Status.fromThrowable(failure);
    Metadata trailers =
        failure instanceof StatusRuntimeException call
            ? call.getTrailers()
            : Status.trailersFromThrowable(failure);
    byte[] typed = trailers == null ? null : trailers.get(TRAILER);
    if (typed != null) {
      return parsed(typed, peer);
    }
    return fromStatus(status, peer, tried);
  }

  /** Makes the error that a failed Flight call carries; without one, what Flight knows. */
  static SpringaldException fromFlight(Throwable failure, String address) {
    if (failure instanceof SpringaldException typed) {
      return typed;
    }
    String peer = "the Flight server at " + address;
    if (!(failure instanceof FlightRuntimeException flight)) {
      return ErrorCode.INTERNAL.error(
          peer + " answered what this side does not expect: " + firstLine(failure.toString()));
    }
    CallStatus status = flight.status();
    ErrorFlightMetadata metadata = status.metadata();
    byte[] typed =
        metadata != null && metadata.containsKey(FLIGHT_TRAILER)
            ? metadata.getByte(FLIGHT_TRAILER)
            : null;
    if (typed != null && typed.length > 0) {
      return parsed(typed, peer);
    }
    String said = "'" + firstLine(String.valueOf(flight.getMessage())) + "'";
    return ofFlightStatus(status.code(), said, peer);
  }

  /** Makes the error with which a Flight server ended a call. */
  static SpringaldException fromFlight(Status status, Metadata trailers, String address) {
    String peer = "the Flight server at " + address;
    byte[] typed = trailers == null ? null : trailers.get(FLIGHT_DETAILS);
    if (typed != null && typed.length > 0) {
      return parsed(typed, peer);
    }
    FlightStatusCode code =
        switch (status.getCode()) {
          case DEADLINE_EXCEEDED -> FlightStatusCode.TIMED_OUT;
          case CANCELLED -> FlightStatusCode.CANCELLED;
          case UNIMPLEMENTED -> FlightStatusCode.UNIMPLEMENTED;
          case UNAVAILABLE -> FlightStatusCode.UNAVAILABLE;
          default -> FlightStatusCode.INTERNAL;
        };
    return ofFlightStatus(code, "'" + detail(status) + "'", peer);
  }

  private static SpringaldException ofFlightStatus(
      FlightStatusCode code, String said, String peer) {
    return switch (code) {
      case TIMED_OUT ->
          ErrorCode.DEADLINE_EXCEEDED.error(peer + " must answer in time: got " + said);
      case CANCELLED -> ErrorCode.CANCELLED.error("a call to " + peer + " was given up: " + said);
      case UNIMPLEMENTED -> ErrorCode.UNSUPPORTED.error(peer + " must know this call: got " + said);
      case UNAVAILABLE ->
          ErrorCode.FETCH_FAILED.error(
              peer + " must be reachable: got " + said + "; check that its executor runs");
      default -> ErrorCode.FETCH_FAILED.error(peer + " must answer to the end: got " + said);
    };
  }

  private static SpringaldException parsed(byte[] typed, String peer) {
    try {
      return fromProto(ErrorOuterClass.Error.parseFrom(typed));
    } catch (InvalidProtocolBufferException broken) {
      return ErrorCode.MESSAGE_GARBLED.error(
          "an error must decode: got " + typed.length + " bytes that do not, from " + peer);
    }
  }

  private static SpringaldException fromStatus(Status status, String peer, String tried) {
    String detail = detail(status);
    return switch (status.getCode()) {
      case UNAVAILABLE ->
          ErrorCode.SCHEDULER_UNAVAILABLE.error(
              peer
                  + " must be reachable: got '"
                  + detail
                  + "'; check that it runs, and at this address");
      case DEADLINE_EXCEEDED ->
          ErrorCode.DEADLINE_EXCEEDED.error(
              peer
                  + " must answer in time: got no answer"
                  + (tried.isEmpty() ? "" : " to " + tried)
                  + "; its process may be stopped or overloaded: look at it and at its log, then"
                  + " try again");
      case RESOURCE_EXHAUSTED ->
          ErrorCode.MESSAGE_TOO_LARGE.error(
              "a message must fit its limit: got '" + detail + "' from " + peer);
      case CANCELLED -> ErrorCode.CANCELLED.error("a call to " + peer + " was given up: " + detail);
      case UNIMPLEMENTED ->
          ErrorCode.PROTOCOL_MISMATCH.error(
              peer
                  + " must know this call: got '"
                  + detail
                  + "'; use the same version on both sides");
      case INTERNAL ->
          ErrorCode.MESSAGE_GARBLED.error(
              peer + " and this side must understand each other's messages: got '" + detail + "'");
      default -> ErrorCode.INTERNAL.error(peer + " answered " + status.getCode() + ": " + detail);
    };
  }

  private static String detail(Status status) {
    String said = status.getDescription();
    Throwable cause = status.getCause();
    if (cause != null && cause.getMessage() != null) {
      said = said == null ? cause.getMessage() : said + ": " + cause.getMessage();
    }
    return said == null ? "no detail" : firstLine(said);
  }

  private static String firstLine(String text) {
    String line = text.lines().findFirst().orElse("");
    return line.length() <= TEXT_CHARACTERS_MAX
        ? line
        : line.substring(0, TEXT_CHARACTERS_MAX) + "...";
  }

  private static Fault fault(ErrorOuterClass.Fault fault) {
    return switch (fault) {
      case FAULT_CALLER -> Fault.CALLER;
      case FAULT_DATA -> Fault.DATA;
      case FAULT_CLUSTER -> Fault.CLUSTER;
      default -> Fault.BUG;
    };
  }

  private static SpringaldException ofFault(ErrorDetails details) {
    return switch (details.fault()) {
      case CALLER -> new CallerException(details);
      case DATA -> new DataException(details);
      case CLUSTER -> new ClusterException(details);
      case BUG -> new BugException(details);
    };
  }
}
