package dev.springald;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.springald.sample.Quickstart;
import dev.springald.sample.Visits;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What people read: the sample, and the documentation of the classes. */
class SampleTest {
  private static final Path SOURCES = Path.of("src", "main", "java", "dev", "springald");
  private static final Path GUIDE = Path.of("..", "docs", "user-guide", "java.md");
  private static final Path VISITS = Path.of("..", "docs", "recipes", "visits", "expected.csv");
  private static final Path SAMPLE =
      Path.of("src", "test", "java", "dev", "springald", "sample", "Quickstart.java");
  private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
  private static final Pattern PUBLIC = Pattern.compile(" *(public|protected) .*[({].*");

  /** The sample prints what stands beside it. */
  @Test
  void quickstartPrintsWhatIsExpected() throws IOException {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    Quickstart.run(
        TestCluster.shared().url(), new PrintStream(printed, true, StandardCharsets.UTF_8));
    try (InputStream expected = Quickstart.class.getResourceAsStream("quickstart.txt")) {
      assertEquals(
          new String(expected.readAllBytes(), StandardCharsets.UTF_8),
          printed.toString(StandardCharsets.UTF_8));
    }
  }

  /** The recipe that the guide shows in four languages prints what it does in each of them. */
  @Test
  void visitsPrintsWhatTheOtherLanguagesPrint() throws IOException {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    Visits.run(TestCluster.shared().url(), new PrintStream(printed, true, StandardCharsets.UTF_8));
    assertEquals(Files.readString(VISITS), printed.toString(StandardCharsets.UTF_8));
  }

  /** The code in the user guide is that of the sample. */
  @Test
  void codeOfTheUserGuideIsTheSamples() throws IOException {
    String sample = squeezed(Files.readString(SAMPLE));
    Matcher blocks = BLOCK.matcher(Files.readString(GUIDE));
    int found = 0;
    while (blocks.find()) {
      String block = squeezed(blocks.group(1));
      assertTrue(sample.contains(block), "not in the sample: " + block);
      found++;
    }
    assertEquals(4, found);
  }

  /** Each public class says what it is with an example, and each public method what it does. */
  @Test
  void publicClassesAndMethodsAreDocumented() throws IOException {
    List<String> missing = new ArrayList<>();
    try (Stream<Path> files = Files.list(SOURCES)) {
      for (Path file : files.toList()) {
        List<String> lines = Files.readAllLines(file);
        boolean isPublic = lines.stream().anyMatch(line -> line.matches("public .*"));
        if (isPublic && lines.stream().noneMatch(line -> line.contains("<pre>{@code"))) {
          missing.add(file + " has no example");
        }
        for (int at = 1; isPublic && at < lines.size(); at++) {
          String before = lines.get(at - 1).strip();
          boolean isTold = before.endsWith("*/") || before.startsWith("@");
          if (PUBLIC.matcher(lines.get(at)).matches() && !isTold) {
            missing.add(file + ":" + (at + 1));
          }
        }
      }
    }
    assertTrue(missing.isEmpty(), missing.toString());
  }

  private static String squeezed(String code) {
    return code.replaceAll("\\s+", " ");
  }
}
