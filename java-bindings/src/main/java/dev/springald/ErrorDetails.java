package dev.springald;

/** What an error knows, in the form in which it is made. */
record ErrorDetails(
    String code,
    Fault fault,
    boolean retryable,
    String message,
    String nodeId,
    Position position,
    String executorId,
    String engineMessage,
    String leaderAddress) {

  static ErrorDetails of(ErrorCode code, String message) {
    return of(code, message, "");
  }

  static ErrorDetails of(ErrorCode code, String message, String nodeId) {
    return new ErrorDetails(
        code.name(), code.fault(), code.retryable(), message, nodeId, null, "", "", "");
  }

  ErrorDetails withMessage(String text) {
    return new ErrorDetails(
        code, fault, retryable, text, nodeId, position, executorId, engineMessage, leaderAddress);
  }
}
