package dev.springald;

import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import springald.conformance.v1.Client.Answer;
import springald.conformance.v1.Client.Call;
import springald.conformance.v1.Client.ClientHello;
import springald.conformance.v1.Client.DescribeCall;
import springald.conformance.v1.Client.Done;
import springald.conformance.v1.Client.ExecuteCall;
import springald.conformance.v1.Client.FetchCall;
import springald.conformance.v1.Client.OpenCall;
import springald.conformance.v1.Client.RegisterFilesCall;
import springald.conformance.v1.Client.StartCall;
import springald.conformance.v1.Client.Tls;
import springald.conformance.v1.Client.UploadCall;
import springald.conformance.v1.VectorOuterClass.Access;
import springald.conformance.v1.VectorOuterClass.CancelMoment;
import springald.conformance.v1.VectorOuterClass.Feature;
import springald.conformance.v1.VectorOuterClass.Names;
import springald.conformance.v1.VectorOuterClass.Statement;
import springald.error.v1.ErrorOuterClass;
import springald.physical.v1.Physical.Option;
import springald.physical.v1.Physical.RegisteredFiles;
import springald.plan.v1.PlanOuterClass.Plan;
import springald.plan.v1.PlanOuterClass.PlanVersion;
import springald.plan.v1.PlanOuterClass.SubstraitPlan;

/** The Java client under test: answers the calls of the conformance suite, one after the other. */
final class ClientUnderTest {
  private static final List<Feature> FEATURES =
      List.of(
          Feature.FEATURE_SQL,
          Feature.FEATURE_SQL_PARAMETERS,
          Feature.FEATURE_PLAN,
          Feature.FEATURE_SUBSTRAIT,
          Feature.FEATURE_SETTINGS,
          Feature.FEATURE_UPLOAD,
          Feature.FEATURE_REGISTER_FILES,
          Feature.FEATURE_DESCRIBE,
          Feature.FEATURE_CANCEL,
          Feature.FEATURE_LIST_TABLES,
          Feature.FEATURE_TYPED_ROWS,
          Feature.FEATURE_TLS);
  private static final Duration PATIENCE = Duration.ofMinutes(1);
  private static final String REASON = "a vector wants it";

  private final Map<String, Session> sessions = new HashMap<>();
  private final Map<String, Held> held = new HashMap<>();
  private String url = "";
  private TlsOptions tls;

  private ClientUnderTest() {}

  /** Answers until there are no more calls. */
  public static void main(String[] arguments) throws IOException {
    OutputStream answers = new BufferedOutputStream(System.out);
    // Whatever else is printed must not get between the answers.
    System.setOut(new PrintStream(System.err));
    ClientUnderTest client = new ClientUnderTest();
    Call call;
    while ((call = Call.parseDelimitedFrom(System.in)) != null) {
      client.answer(call).writeDelimitedTo(answers);
      answers.flush();
    }
    client.closeAll();
  }

  private Answer answer(Call call) {
    try {
      return dispatch(call);
    } catch (SpringaldException error) {
      return Answer.newBuilder().setError(message(error)).build();
    } catch (Exception | AssertionError broken) {
      StringWriter trace = new StringWriter();
      broken.printStackTrace(new PrintWriter(trace));
      return Answer.newBuilder().setBroken(trace.toString()).build();
    }
  }

  private Answer dispatch(Call call) throws IOException {
    return switch (call.getCallCase()) {
      case HELLO -> hello();
      case CONNECT -> {
        closeAll();
        url = call.getConnect().getUrl();
        tls = call.getConnect().hasTls() ? tlsOptions(call.getConnect().getTls()) : null;
        yield done();
      }
      case OPEN -> open(call.getOpen());
      case CLOSE -> {
        // The session stays here, so that later calls meet a closed one.
        sessions.computeIfPresent(call.getClose().getSession(), ClientUnderTest::closed);
        yield done();
      }
      case EXECUTE -> execute(call.getExecute());
      case DESCRIBE -> describe(call.getDescribe());
      case UPLOAD -> upload(call.getUpload());
      case REGISTER_FILES -> registerFiles(call.getRegisterFiles());
      case LIST_TABLES -> listTables(call.getListTables().getSession());
      case START -> start(call.getStart());
      case FETCH -> fetch(call.getFetch());
      default -> throw new IllegalArgumentException("a call is one that this program knows");
    };
  }

  private static Answer hello() {
    ClientHello.Builder hello =
        ClientHello.newBuilder().setName(Query.PRODUCER).setPlanVersion(version());
    return Answer.newBuilder().setHello(hello.addAllFeatures(FEATURES)).build();
  }

  private Answer open(OpenCall call) {
    // A JVM that has just begun may take long to say hello on a machine that does much else.
    ConnectOptions.Builder options = ConnectOptions.builder().connectTimeout(PATIENCE);
    if (tls != null) {
      options.tls(tls);
    }
    for (Option setting : call.getSettings().getSettingsList()) {
      options.setting(setting.getName(), setting.getValue());
    }
    sessions.put(call.getSession(), Springald.connect(url, options.build()));
    return done();
  }

  private Answer execute(ExecuteCall call) throws IOException {
    Query query = query(call.getSession(), call.getExecute().getStatement());
    CancelMoment cancel = call.getExecute().getCancel();
    try (Job job = query.execute()) {
      if (cancel == CancelMoment.CANCEL_MOMENT_AT_ONCE) {
        job.cancel(REASON);
      }
      try (Result result = job.result()) {
        if (cancel == CancelMoment.CANCEL_MOMENT_FIRST_BATCH) {
          while (result.next() && result.batch().getRowCount() == 0) {
            continue;
          }
          job.cancel(REASON);
        }
        return taken(result, call.getExecute().getAccess());
      }
    }
  }

  private Answer start(StartCall call) {
    Job job = query(call.getSession(), call.getStatement()).execute();
    job.await();
    Result result = null;
    if (call.getTakesFirstBatch()) {
      result = job.result();
      while (result.next() && result.batch().getRowCount() == 0) {
        continue;
      }
    }
    held.put(call.getSession(), new Held(job, result));
    return done();
  }

  private Answer fetch(FetchCall call) throws IOException {
    Held started = held.remove(call.getSession());
    try (Job job = started.job();
        Result result = started.result() != null ? started.result() : job.result()) {
      return taken(result, call.getAccess());
    }
  }

  private static Answer taken(Result result, Access access) throws IOException {
    return switch (access) {
      case ACCESS_ROWS -> Answer.newBuilder().setTypedRows(Outcomes.rows(result)).build();
      case ACCESS_TOTALS -> Answer.newBuilder().setTotals(Outcomes.totals(result)).build();
      default -> Answer.newBuilder().setRows(Outcomes.stream(result)).build();
    };
  }

  private static TlsOptions tlsOptions(Tls told) {
    TlsOptions options = TlsOptions.system();
    if (!told.getTrustedCertificates().isEmpty()) {
      options = options.withTrustedCertificates(Path.of(told.getTrustedCertificates()));
    }
    if (!told.getClientCertificate().isEmpty()) {
      options =
          options.withClientCertificate(
              Path.of(told.getClientCertificate()), Path.of(told.getClientKey()));
    }
    return told.getHostName().isEmpty() ? options : options.withHostName(told.getHostName());
  }

  private Answer describe(DescribeCall call) {
    Query query = query(call.getSession(), call.getStatement());
    return Answer.newBuilder().setColumns(Outcomes.columns(query.schema())).build();
  }

  private Answer upload(UploadCall call) throws IOException {
    try (BufferAllocator allocator = new RootAllocator();
        ArrowStreamReader rows =
            new ArrowStreamReader(
                new ByteArrayInputStream(call.getRows().toByteArray()), allocator)) {
      session(call.getSession()).upload(call.getName(), rows);
    }
    return done();
  }

  private Answer registerFiles(RegisterFilesCall call) {
    RegisteredFiles files = call.getRegisterFiles().getFiles();
    Map<String, String> options = new HashMap<>();
    files.getOptionsList().forEach(option -> options.put(option.getName(), option.getValue()));
    session(call.getSession())
        .registerFiles(
            call.getRegisterFiles().getName(), files.getFormat(), files.getPath(), options);
    return done();
  }

  private Answer listTables(String name) {
    Names.Builder names = Names.newBuilder();
    session(name).tables().forEach(table -> names.addNames(table.name()));
    return Answer.newBuilder().setNames(names).build();
  }

  private Query query(String name, Statement statement) {
    Session session = session(name);
    return switch (statement.getKindCase()) {
      case SQL ->
          statement.getSql().getPositionalParametersCount() == 0
                  && statement.getSql().getNamedParametersCount() == 0
              ? session.sql(statement.getSql().getText())
              : session.plan(
                  Plan.newBuilder().setVersion(version()).setSql(statement.getSql()).build());
      case PLAN ->
          session.plan(
              statement.getPlan().hasVersion()
                  ? statement.getPlan()
                  : statement.getPlan().toBuilder().setVersion(version()).build());
      case PLAN_BYTES -> session.plan(statement.getPlanBytes().toByteArray());
      case SUBSTRAIT ->
          session.plan(
              Plan.newBuilder()
                  .setVersion(version())
                  .setSubstrait(SubstraitPlan.newBuilder().setPlan(statement.getSubstrait()))
                  .build());
      default -> throw new IllegalArgumentException("a statement has a kind");
    };
  }

  private Session session(String name) {
    Session session = sessions.get(name);
    if (session == null) {
      throw new IllegalArgumentException("a session is opened first: got " + name);
    }
    return session;
  }

  private void closeAll() {
    held.values().forEach(Held::close);
    held.clear();
    sessions.values().forEach(Session::close);
    sessions.clear();
  }

  private static Session closed(String name, Session session) {
    session.close();
    return session;
  }

  private static PlanVersion version() {
    return PlanVersion.newBuilder()
        .setMajor(Limits.PLAN_MAJOR)
        .setMinor(Limits.PLAN_MINOR_FOR_TREES)
        .setProducer(Query.PRODUCER)
        .build();
  }

  private static Answer done() {
    return Answer.newBuilder().setDone(Done.getDefaultInstance()).build();
  }

  private static ErrorOuterClass.Error message(SpringaldException error) {
    ErrorOuterClass.Error.Builder message =
        ErrorOuterClass.Error.newBuilder()
            .setCodeValue(
                error
                    .errorCode()
                    .map(ErrorCode::number)
                    .orElseGet(() -> Integer.valueOf(error.code().replace("CODE_", ""))))
            .setFault(ErrorOuterClass.Fault.valueOf("FAULT_" + error.fault()))
            .setRetryable(error.retryable())
            .setMessage(error.description())
            .setNodeId(error.nodeId())
            .setExecutorId(error.executorId())
            .setEngineMessage(error.engineMessage());
    error
        .position()
        .ifPresent(at -> message.getPositionBuilder().setLine(at.line()).setColumn(at.column()));
    return message.build();
  }

  /** A job that has succeeded, and its rows if some were taken. */
  private record Held(Job job, Result result) implements AutoCloseable {
    @Override
    public void close() {
      if (result != null) {
        result.close();
      }
      job.close();
    }
  }
}
