package dev.springald;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** What is checked before it is sent, because it could not be sent at all. */
final class Checks {
  private Checks() {}

  /** Returns a text that UTF-8 can encode: half a character would be sent as a question mark. */
  static String text(String text, String what) {
    encoded(text, what);
    return text;
  }

  /** Returns a statement that is not larger than it may be. */
  static String statement(String statement) {
    int size = encoded(statement, "a statement").remaining();
    if (size > Limits.STATEMENT_BYTES_MAX) {
      throw ErrorCode.PLAN_TOO_LARGE.error(
          "a statement has at most "
              + Limits.STATEMENT_BYTES_MAX
              + " bytes: got "
              + size
              + "; put long lists into a table and join with it");
    }
    return statement;
  }

  static Duration timeout(Duration timeout) {
    if (timeout == null || timeout.isNegative() || timeout.isZero()) {
      throw ErrorCode.INVALID_ARGUMENT.error("a timeout is longer than nothing: got " + timeout);
    }
    return timeout;
  }

  private static ByteBuffer encoded(String text, String what) {
    if (text == null) {
      throw ErrorCode.INVALID_ARGUMENT.error(what + " is text: got null");
    }
    try {
      return StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
    } catch (CharacterCodingException half) {
      throw ErrorCode.INVALID_ARGUMENT.error(
          what + " is text that UTF-8 can encode: got half a character in it");
    }
  }
}
