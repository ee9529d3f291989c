package dev.springald;

import com.google.protobuf.InvalidProtocolBufferException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowReader;
import springald.physical.v1.Physical.FileFormat;
import springald.physical.v1.Physical.Option;
import springald.physical.v1.Physical.RegisteredFiles;
import springald.plan.v1.PlanOuterClass.Plan;
import springald.scheduler.v1.Scheduler.CancelJobRequest;
import springald.scheduler.v1.Scheduler.CloseSessionRequest;
import springald.scheduler.v1.Scheduler.DescribeJobRequest;
import springald.scheduler.v1.Scheduler.KeepSessionRequest;
import springald.scheduler.v1.Scheduler.ListExecutorsRequest;
import springald.scheduler.v1.Scheduler.ListJobsRequest;
import springald.scheduler.v1.Scheduler.ListTablesRequest;
import springald.scheduler.v1.Scheduler.OpenSessionRequest;
import springald.scheduler.v1.Scheduler.OpenSessionResponse;
import springald.scheduler.v1.Scheduler.ProtocolVersion;
import springald.scheduler.v1.Scheduler.RegisterFilesRequest;
import springald.scheduler.v1.SchedulerServiceGrpc.SchedulerServiceBlockingStub;
import springald.scheduler.v1.SchedulerServiceGrpc.SchedulerServiceStub;

/**
 * A catalog of tables and a set of settings on a cluster, where queries begin.
 *
 * <p>It may be used from several threads at once. Closing it releases everything that it made on
 * the cluster: tables, uploads, jobs and results.
 *
 * <pre>{@code
 * try (Session session = Springald.connect("springald://127.0.0.1:50050")) {
 *   session.registerParquet("orders", "/data/orders");
 *   session.run("SET springald.distribution = always");
 *   try (Result result = session.sql("SELECT count(*) AS n FROM orders").fetch()) {
 *     result.printTo(System.out);
 *   }
 * }
 * }</pre>
 */
public final class Session implements AutoCloseable {
  private static final String UNSUPPORTED_TYPES = "springald.unsupported_types";

  /**
   * Arrow for Java cannot read a stream that has the first two. The others it can, but few programs
   * do; without them rows lie in files as they are promised, and are read in place.
   */
  private static final String TYPES_NOT_READ = "decimal32,decimal64,utf8_view,binary_view";

  private final Transport transport;
  private final String id;
  private final String schedulerVersion;
  private final AtomicBoolean open = new AtomicBoolean(true);

  Session(Transport transport, ConnectOptions options) {
    this.transport = transport;
    OpenSessionResponse opened = hello(options);
    int theirs = opened.getProtocolVersion().getMajor();
    if (theirs != Limits.PROTOCOL_MAJOR) {
      throw ErrorCode.PROTOCOL_MISMATCH.error(
          "client and scheduler speak one major version of the protocol: got "
              + theirs
              + " from "
              + transport.address()
              + ", "
              + Limits.PROTOCOL_MAJOR
              + " here; install the same version on both sides");
    }
    this.id = opened.getSessionId();
    this.schedulerVersion = opened.getSchedulerVersion();
    keepAlive(opened.getLeaseMs());
  }

  /** The session's id on the scheduler. */
  public String id() {
    return id;
  }

  /** Where the scheduler is: {@code springald://host:port}. */
  public String url() {
    return "springald://" + transport.address();
  }

  /** The version of Springald that the scheduler runs. */
  public String schedulerVersion() {
    return schedulerVersion;
  }

  /** Whether the session was not closed from this side. */
  public boolean isOpen() {
    return open.get();
  }

  /** The allocator of all rows that the session hands out; its total tells what is held. */
  public BufferAllocator allocator() {
    return transport.allocator();
  }

  /**
   * Takes a statement; it is sent when it is executed, and again each time.
   *
   * @param text one statement of SQL, with parameters {@code $1} or {@code $name} or none
   */
  public Query sql(String text) {
    checkOpen();
    return Query.ofSql(this, text);
  }

  /** Takes a plan that was built from the messages of {@code springald.plan.v1}. */
  public Query plan(Plan plan) {
    checkOpen();
    return Query.ofPlan(this, plan);
  }

  /** Takes a plan that was built step by step. */
  public Query plan(Relation rows) {
    return plan(rows.toPlan());
  }

  /**
   * Takes a plan as bytes, for example one that another program wrote.
   *
   * @throws CallerException.MessageGarbled if they are no plan
   */
  public Query plan(byte[] plan) {
    try {
      return plan(Plan.parseFrom(plan));
    } catch (InvalidProtocolBufferException broken) {
      throw ErrorCode.MESSAGE_GARBLED.error(
          "a plan is a springald.plan.v1.Plan: got " + plan.length + " bytes that are none");
    }
  }

  /**
   * Executes a statement that has an effect and no rows, such as {@code CREATE} or {@code SET}, and
   * waits until it is done.
   */
  public void run(String statement) {
    try (Job job = sql(statement).execute()) {
      job.awaitSuccess();
    }
  }

  /** Changes a setting of the session. */
  public void set(String name, Object value) {
    String text = value.toString().replace("'", "''");
    run("SET " + name + " = '" + text + "'");
  }

  /** The session's tables and views, by name. */
  public List<TableInfo> tables() {
    ListTablesRequest request = ListTablesRequest.newBuilder().setSessionId(id).build();
    return call(SchedulerServiceBlockingStub::listTables, request).getTablesList().stream()
        .map(TableInfo::fromProto)
        .toList();
  }

  /** The session's jobs that the scheduler remembers, the newest 100, newest first. */
  public List<JobInfo> jobs() {
    return listJobs(id, 100);
  }

  /**
   * Everybody's jobs that the scheduler remembers, newest first.
   *
   * @param jobsMax at most this many, 1 to 1000
   */
  public List<JobInfo> jobsOfAllSessions(int jobsMax) {
    return listJobs("", jobsMax);
  }

  /** The cluster's executors, in the order in which they came. */
  public List<ExecutorInfo> executors() {
    ListExecutorsRequest request = ListExecutorsRequest.getDefaultInstance();
    return call(SchedulerServiceBlockingStub::listExecutors, request).getExecutorsList().stream()
        .map(ExecutorInfo::fromProto)
        .toList();
  }

  /**
   * Stops a job of any session; one that has ended is left as it is.
   *
   * @param jobId the job's id, as {@link #jobs} tells it
   * @param reason why, for whoever waits for the job
   * @throws CallerException.JobNotFound if the scheduler does not know the job
   */
  public void cancelJob(String jobId, String reason) {
    call(
        SchedulerServiceBlockingStub::cancelJob,
        CancelJobRequest.newBuilder().setOperationId(jobId).setReason(reason).build());
  }

  /** Tells what a job of any session did, as far as the scheduler remembers it. */
  public JobStatistics statistics(String jobId) {
    return JobStatistics.fromProto(
        call(
            SchedulerServiceBlockingStub::describeJob,
            DescribeJobRequest.newBuilder().setOperationId(jobId).build()));
  }

  /** Registers a Parquet file, or a folder of them, as the cluster sees it, as a table. */
  public TableInfo registerParquet(String name, String path) {
    return registerFiles(name, FileFormat.FILE_FORMAT_PARQUET, path, Map.of());
  }

  /**
   * Registers a CSV file, or a folder of them, as a table.
   *
   * @param name the table's name, exactly as it is to be called; one of that name is replaced
   * @param path the file or folder, as the cluster sees it
   * @param options options of the format, as in {@code CREATE EXTERNAL TABLE ... OPTIONS}, for
   *     example {@code has_header}
   */
  public TableInfo registerCsv(String name, String path, Map<String, String> options) {
    return registerFiles(name, FileFormat.FILE_FORMAT_CSV, path, options);
  }

  /** Registers a file of JSON lines, or a folder of them, as a table. */
  public TableInfo registerJson(String name, String path, Map<String, String> options) {
    return registerFiles(name, FileFormat.FILE_FORMAT_JSON, path, options);
  }

  /** Registers an Arrow IPC file, or a folder of them, as a table. */
  public TableInfo registerArrow(String name, String path) {
    return registerFiles(name, FileFormat.FILE_FORMAT_ARROW, path, Map.of());
  }

  /**
   * Sends the rows of one batch to the cluster, once, and makes them a table.
   *
   * @param name the table's name, exactly as it is to be called; one of that name is replaced
   * @param rows the rows; they stay the caller's
   */
  public TableInfo upload(String name, VectorSchemaRoot rows) {
    checkOpen();
    return Uploads.send(this, name, rows);
  }

  /**
   * Sends rows batch by batch to the cluster, once, and makes them a table.
   *
   * @param name the table's name, exactly as it is to be called; one of that name is replaced
   * @param rows the rows; the reader is read to its end and stays the caller's to close
   */
  public TableInfo upload(String name, ArrowReader rows) {
    checkOpen();
    return Uploads.send(this, name, rows);
  }

  /** Tells the scheduler that the session is alive, which happens by itself once a minute. */
  public void keep() {
    call(
        SchedulerServiceBlockingStub::keepSession,
        KeepSessionRequest.newBuilder().setSessionId(id).build());
  }

  /**
   * Ends the session and all it holds on the cluster; closing again does nothing.
   *
   * @throws IllegalStateException if results of the session still hold rows; the session has ended
   */
  @Override
  public void close() {
    if (!open.getAndSet(false)) {
      return;
    }
    try {
      transport.call(
          SchedulerServiceBlockingStub::closeSession,
          CloseSessionRequest.newBuilder().setSessionId(id).build(),
          Limits.CLOSE_MAX,
          Duration.ZERO);
    } catch (SpringaldException unreachable) {
      // The lease ends the session.
    } finally {
      transport.close();
    }
  }

  @Override
  public String toString() {
    return "Session(" + url() + (isOpen() ? ")" : ", closed)");
  }

  Transport transport() {
    return transport;
  }

  <Q, A> A call(
      java.util.function.BiFunction<SchedulerServiceBlockingStub, Q, A> method, Q request) {
    checkOpen();
    return transport.call(method, request);
  }

  void checkOpen() {
    if (!open.get()) {
      throw ErrorCode.SESSION_NOT_FOUND.error(
          "a session must be open: got one that was closed, at "
              + transport.address()
              + "; connect again");
    }
  }

  private OpenSessionResponse hello(ConnectOptions options) {
    OpenSessionRequest.Builder request =
        OpenSessionRequest.newBuilder()
            .setProtocolVersion(
                ProtocolVersion.newBuilder()
                    .setMajor(Limits.PROTOCOL_MAJOR)
                    .setMinor(Limits.PROTOCOL_MINOR))
            .setClientName(Query.PRODUCER)
            .addSettings(option(UNSUPPORTED_TYPES, TYPES_NOT_READ));
    options.settings().forEach((name, value) -> request.addSettings(option(name, value)));
    // One scheduler that refuses is not there; of several, one may be about to lead.
    Duration awayMax = transport.endpoints().areSeveral() ? Limits.ELECTION_MAX : Duration.ZERO;
    try {
      return transport.call(
          SchedulerServiceBlockingStub::openSession,
          request.build(),
          options.connectTimeout(),
          awayMax);
    } catch (ClusterException.DeadlineExceeded silent) {
      throw ErrorCode.SCHEDULER_UNAVAILABLE.error(
          "a scheduler must answer within "
              + options.connectTimeout().toMillis()
              + " ms: got no answer from "
              + transport.address()
              + "; check that one runs at this address, and is not stopped");
    }
  }

  /** A third of the lease, so that two lost signs of life cost nothing; at most the usual. */
  private void keepAlive(long leaseMs) {
    long interval = Limits.SESSION_KEEP_INTERVAL_MS;
    long intervalMs = leaseMs > 0 ? Math.min(interval, Math.max(1, leaseMs / 3)) : interval;
    KeepSessionRequest request = KeepSessionRequest.newBuilder().setSessionId(id).build();
    transport
        .timer()
        .scheduleWithFixedDelay(
            () -> transport.send(SchedulerServiceStub::keepSession, request),
            intervalMs,
            intervalMs,
            TimeUnit.MILLISECONDS);
  }

  private List<JobInfo> listJobs(String sessionId, int jobsMax) {
    if (jobsMax < 1 || jobsMax > Limits.JOBS_LISTED_MAX) {
      throw ErrorCode.INVALID_ARGUMENT.error(
          "jobsMax is 1 to " + Limits.JOBS_LISTED_MAX + ": got " + jobsMax);
    }
    ListJobsRequest request =
        ListJobsRequest.newBuilder().setSessionId(sessionId).setJobsMax(jobsMax).build();
    return call(SchedulerServiceBlockingStub::listJobs, request).getJobsList().stream()
        .map(JobInfo::fromProto)
        .toList();
  }

  TableInfo registerFiles(
      String name, FileFormat format, String path, Map<String, String> options) {
    RegisteredFiles.Builder files =
        RegisteredFiles.newBuilder().setFormat(format).setPath(Checks.text(path, "a path"));
    options.forEach((option, value) -> files.addOptions(option(option, value)));
    RegisterFilesRequest request =
        RegisterFilesRequest.newBuilder()
            .setSessionId(id)
            .setName(Checks.text(name, "a table's name"))
            .setFiles(files)
            .build();
    return TableInfo.fromProto(
        call(SchedulerServiceBlockingStub::registerFiles, request).getTable());
  }

  private static Option option(String name, String value) {
    return Option.newBuilder()
        .setName(Checks.text(name, "an option's name"))
        .setValue(Checks.text(value, name))
        .build();
  }
}
