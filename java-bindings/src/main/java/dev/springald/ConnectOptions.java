package dev.springald;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * How to connect: settings of the session, TLS, deadlines and a bound on memory.
 *
 * <pre>{@code
 * ConnectOptions options =
 *     ConnectOptions.builder()
 *         .setting("springald.distribution", "always")
 *         .callTimeout(Duration.ofSeconds(20))
 *         .build();
 * try (Session session = Springald.connect("springald://127.0.0.1:50050", options)) {
 *   session.run("CREATE VIEW one AS SELECT 1 AS one");
 * }
 * }</pre>
 */
public final class ConnectOptions {
  private final Map<String, String> settings;
  private final TlsOptions tls;
  private final Duration connectTimeout;
  private final Duration callTimeout;
  private final Duration rowsTimeout;
  private final long memoryBytesMax;
  private final boolean readInPlace;

  private ConnectOptions(Builder builder) {
    this.settings = Map.copyOf(builder.settings);
    this.tls = builder.tls;
    this.connectTimeout = builder.connectTimeout;
    this.callTimeout = builder.callTimeout;
    this.rowsTimeout = builder.rowsTimeout;
    this.memoryBytesMax = builder.memoryBytesMax;
    this.readInPlace = builder.readInPlace;
  }

  /** Starts from what suits a cluster in one's own network. */
  public static Builder builder() {
    return new Builder();
  }

  /** What a session is opened with if nothing is said. */
  public static ConnectOptions defaults() {
    return builder().build();
  }

  /** Settings to begin with, as by {@code SET}. */
  public Map<String, String> settings() {
    return settings;
  }

  /** How connections are encrypted, or nothing if they are not. */
  public Optional<TlsOptions> tls() {
    return Optional.ofNullable(tls);
  }

  /** How long opening a session may take. Default: 10 seconds. */
  public Duration connectTimeout() {
    return connectTimeout;
  }

  /** How long one call may take. Default: a minute. */
  public Duration callTimeout() {
    return callTimeout;
  }

  /**
   * How long an executor may leave a reader without the next rows, before they count as lost.
   * Default: 20 seconds.
   */
  public Duration rowsTimeout() {
    return rowsTimeout;
  }

  /** The most bytes of Arrow buffers that the session holds at once. Default: no bound. */
  public long memoryBytesMax() {
    return memoryBytesMax;
  }

  /** Whether large results are read from files of an executor on the same host. Default: yes. */
  public boolean readInPlace() {
    return readInPlace;
  }

  /**
   * Collects options.
   *
   * <pre>{@code
   * ConnectOptions patient = ConnectOptions.builder().rowsTimeout(Duration.ofMinutes(10)).build();
   * }</pre>
   */
  public static final class Builder {
    private final Map<String, String> settings = new LinkedHashMap<>();
    private TlsOptions tls;
    private Duration connectTimeout = Duration.ofSeconds(10);
    private Duration callTimeout = Duration.ofMinutes(1);
    private Duration rowsTimeout = Duration.ofSeconds(20);
    private long memoryBytesMax = Long.MAX_VALUE;
    private boolean readInPlace = true;

    private Builder() {}

    /** Begins with a setting, as by {@code SET}. */
    public Builder setting(String name, Object value) {
      settings.put(Checks.text(name, "a setting's name"), Checks.text(value.toString(), name));
      return this;
    }

    /** Encrypts all connections. */
    public Builder tls(TlsOptions options) {
      this.tls = Objects.requireNonNull(options, "options");
      return this;
    }

    /** Bounds how long opening a session may take. */
    public Builder connectTimeout(Duration timeout) {
      this.connectTimeout = Checks.timeout(timeout);
      return this;
    }

    /** Bounds how long one call may take; planning and listing many files are the slow ones. */
    public Builder callTimeout(Duration timeout) {
      this.callTimeout = Checks.timeout(timeout);
      return this;
    }

    /** Bounds how long an executor may leave a reader without the next rows. */
    public Builder rowsTimeout(Duration timeout) {
      this.rowsTimeout = Checks.timeout(timeout);
      return this;
    }

    /**
     * Bounds the Arrow buffers that the session holds at once. A batch that does not fit fails with
     * {@code OUT_OF_MEMORY}; a few batches of some megabytes are held for each result.
     */
    public Builder memoryBytesMax(long bytes) {
      if (bytes < 1) {
        throw ErrorCode.INVALID_ARGUMENT.error(
            "a bound on memory is at least 1 byte: got " + bytes);
      }
      this.memoryBytesMax = bytes;
      return this;
    }

    /** Says whether large results are read from files of an executor on the same host. */
    public Builder readInPlace(boolean allowed) {
      this.readInPlace = allowed;
      return this;
    }

    /** The options as they stand. */
    public ConnectOptions build() {
      return new ConnectOptions(this);
    }
  }
}
