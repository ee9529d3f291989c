package dev.springald;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A real cluster as a child process, which ends with this one, however that ends. */
final class TestCluster implements AutoCloseable {
  private static final Pattern PAIR = Pattern.compile("\"(\\w+)\": \"([^\"]*)\"");
  private static TestCluster shared;

  private final Process process;
  private final BufferedReader answers;
  private final Writer orders;
  private final Map<String, String> hello = new TreeMap<>();

  private TestCluster() throws IOException {
    Path script = Path.of("src", "test", "python", "cluster.py").toAbsolutePath();
    this.process =
        new ProcessBuilder(System.getProperty("springald.python"), script.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    this.answers =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    this.orders = process.outputWriter(StandardCharsets.UTF_8);
    Matcher pairs = PAIR.matcher(String.valueOf(answers.readLine()));
    while (pairs.find()) {
      hello.put(pairs.group(1), pairs.group(2));
    }
  }

  /** The cluster of all tests that do it no harm. */
  static synchronized TestCluster shared() {
    if (shared == null) {
      shared = start();
    }
    return shared;
  }

  /** A cluster of a test's own. */
  static TestCluster start() {
    try {
      return new TestCluster();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  String url() {
    return hello.get("url");
  }

  /** The folder of a table of TPC-H at scale factor 0.01. */
  String table(String name) {
    return hello.get(name);
  }

  /** Has something done to the cluster, and waits until it is. */
  void order(String order) {
    try {
      orders.write(order + "\n");
      orders.flush();
      String answer = answers.readLine();
      if (!"done".equals(answer)) {
        throw new IllegalStateException(order + " was answered with " + answer);
      }
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  @Override
  public void close() {
    try {
      orders.close();
      process.waitFor();
    } catch (IOException | InterruptedException failed) {
      process.destroyForcibly();
    }
  }
}
