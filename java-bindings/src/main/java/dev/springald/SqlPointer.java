package dev.springald;

/** Shows where in a statement an error is. */
final class SqlPointer {
  private SqlPointer() {}

  /** Adds the statement's line with a caret to an error that knows its place. */
  static SpringaldException withCaret(SpringaldException error, String statement) {
    if (statement.isEmpty() || error.position().isEmpty()) {
      return error;
    }
    String caret = pointAt(statement, error.position().get());
    if (error.description().contains(caret)) {
      return error;
    }
    ErrorDetails details = error.details().withMessage(error.description() + "\n" + caret);
    SpringaldException pointed = error.errorCode().map(code -> code.error(details)).orElse(error);
    pointed.setStackTrace(error.getStackTrace());
    return pointed;
  }

  /**
   * A line of a statement with a caret under one of its characters; of a long one, what is near.
   */
  static String pointAt(String text, Position position) {
    String[] lines = text.split("\n", -1);
    int number = Math.min(Math.max(position.line(), 1), lines.length);
    int[] line = lines[number - 1].replaceFirst("\r$", "").codePoints().toArray();
    int at = Math.min(Math.max(position.column(), 1), line.length + 1) - 1;
    int start = Math.max(0, at - Limits.CARET_CHARACTERS_MAX / 2);
    int end = Math.min(line.length, at + Limits.CARET_CHARACTERS_MAX / 2);
    String head = "line " + number + ": " + (start > 0 ? "..." : "");
    String before = new String(line, start, at - start);
    String after = new String(line, at, end - at) + (end < line.length ? "..." : "");
    // Tabs are kept, so that the caret stands right however wide they are drawn.
    String pad =
        before.codePoints().mapToObj(c -> c == '\t' ? "\t" : " ").reduce("", String::concat);
    return head + before + after + "\n" + " ".repeat(head.length()) + pad + "^";
  }
}
