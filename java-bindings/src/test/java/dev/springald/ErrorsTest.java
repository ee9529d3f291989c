package dev.springald;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import springald.error.v1.ErrorOuterClass;

/** The exceptions are those of {@code springald.error.v1}. */
class ErrorsTest {
  private static final Path TABLE = Path.of("..", "docs", "protocol", "errors.md");
  private static final Pattern LINE =
      Pattern.compile("\\| (\\d+) \\| `(\\w+)` \\| `(\\w+)Error` \\| (\\w+) \\| (yes|no) \\|.*");

  /** Each code of the protocol is one here, under its number and fault (P6.2). */
  @Test
  void codesAreThoseOfTheProtocol() {
    Map<String, Integer> wanted = new TreeMap<>();
    for (ErrorOuterClass.Code code : ErrorOuterClass.Code.values()) {
      if (code != ErrorOuterClass.Code.UNRECOGNIZED && code.getNumber() > 0) {
        wanted.put(code.name().replaceFirst("CODE_", ""), code.getNumber());
      }
    }
    Map<String, Integer> found = new TreeMap<>();
    Arrays.stream(ErrorCode.values()).forEach(code -> found.put(code.name(), code.number()));
    assertEquals(wanted, found);
  }

  /** Each line of the table of codes is true of the exception here. */
  @Test
  void exceptionsAreThoseOfTheTable() throws IOException {
    int lines = 0;
    for (String line : Files.readAllLines(TABLE)) {
      Matcher cells = LINE.matcher(line);
      if (!cells.matches()) {
        continue;
      }
      ErrorCode code = ErrorCode.valueOf(cells.group(2));
      SpringaldException error = code.error("what happened");
      String name = camel(cells.group(2));
      assertEquals(Integer.parseInt(cells.group(1)), code.number());
      assertEquals(name, error.getClass().getSimpleName());
      assertEquals(cells.group(4).toUpperCase(), error.fault().name());
      assertEquals(cells.group(5).equals("yes"), error.retryable(), cells.group(2));
      assertEquals(Optional.of(code), error.errorCode());
      lines++;
    }
    assertEquals(ErrorCode.values().length, lines);
  }

  /** A code of a later version is told by its number and goes by its fault. */
  @Test
  void codeOfALaterVersionBecomesItsFaultsClass() {
    ErrorOuterClass.Error message =
        ErrorOuterClass.Error.newBuilder()
            .setCodeValue(387)
            .setFault(ErrorOuterClass.Fault.FAULT_CLUSTER)
            .setRetryable(true)
            .setMessage("something new")
            .setNodeId("j7/s2/t14#1")
            .setExecutorId("executor-1")
            .build();
    SpringaldException error = ErrorCodec.fromProto(message);
    assertEquals(ClusterException.class, error.getClass());
    assertEquals("CODE_387", error.code());
    assertTrue(error.errorCode().isEmpty());
    assertTrue(error.retryable());
    assertEquals(
        "[CODE_387] something new (at j7/s2/t14#1, executor executor-1)", error.getMessage());
  }

  /** A caret stands under the character that is meant, also behind wide and tabulated ones. */
  @Test
  void pointAtShowsTheCharacter() {
    assertEquals(
        "line 2: FORM t\n        ^", SqlPointer.pointAt("SELECT 1\nFORM t", new Position(2, 1)));
    assertEquals("line 1: 😀\tx\n         \t^", SqlPointer.pointAt("😀\tx", new Position(1, 3)));
  }

  /** What could not be sent is refused before it is. */
  @Test
  void argumentsThatCannotBeSentAreRefused() {
    assertThrows(CallerException.InvalidArgument.class, () -> Springald.connect("http://a:1"));
    assertThrows(CallerException.InvalidArgument.class, () -> Springald.connect("springald://"));
    for (String port : List.of("0", "65536", "99999")) {
      assertThrows(
          CallerException.InvalidArgument.class, () -> Springald.connect("springald://h:" + port));
    }
    assertThrows(
        CallerException.InvalidArgument.class, () -> Springald.connect("springald://me:x@h:1"));
    assertThrows(CallerException.InvalidArgument.class, () -> Checks.statement("half \uD83D"));
    assertThrows(
        CallerException.PlanTooLarge.class,
        () -> Checks.statement("x".repeat(Limits.STATEMENT_BYTES_MAX + 1)));
    assertEquals(new Address("::1", 50050).port(), Address.ofUrl("springald://[::1]").port());
    assertThrows(
        CallerException.InvalidArgument.class, () -> Springald.connect("springald://a:1,,b:2"));
    assertEquals(
        List.of(new Address("a", 1), new Address("b", 50050)),
        Address.allOfUrl("springald://a:1,b/"));
  }

  private static String camel(String code) {
    StringBuilder name = new StringBuilder();
    for (String word : code.split("_")) {
      name.append(word.charAt(0)).append(word.substring(1).toLowerCase());
    }
    return name.toString();
  }
}
