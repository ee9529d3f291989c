package dev.springald;

import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import org.apache.arrow.vector.types.pojo.Schema;
import springald.plan.v1.PlanOuterClass.NamedParameter;
import springald.plan.v1.PlanOuterClass.Plan;
import springald.plan.v1.PlanOuterClass.PlanVersion;
import springald.plan.v1.PlanOuterClass.SqlText;
import springald.scheduler.v1.Scheduler.DescribeQueryRequest;
import springald.scheduler.v1.SchedulerServiceGrpc.SchedulerServiceBlockingStub;

/**
 * A statement or a plan that can be executed, any number of times; it never changes.
 *
 * <pre>{@code
 * Query paid = session.sql("SELECT * FROM orders WHERE paid > $1 AND name = $2");
 * try (Result result = paid.bind(10.0, "Ada").fetch()) {
 *   result.printTo(System.out);
 * }
 * }</pre>
 */
public final class Query {
  static final String PRODUCER = "springald-java/" + Springald.version();

  private final Session session;
  private final Plan plan;
  private final String text;
  private final Duration timeout;

  private Query(Session session, Plan plan, String text, Duration timeout) {
    this.session = session;
    this.plan = plan;
    this.text = text;
    this.timeout = timeout;
  }

  static Query ofSql(Session session, String text) {
    PlanVersion version =
        PlanVersion.newBuilder()
            .setMajor(Limits.PLAN_MAJOR)
            .setMinor(Limits.PLAN_MINOR_FOR_SQL)
            .setProducer(PRODUCER)
            .build();
    SqlText sql = SqlText.newBuilder().setText(Checks.statement(text)).build();
    return new Query(
        session, Plan.newBuilder().setVersion(version).setSql(sql).build(), text, null);
  }

  static Query ofPlan(Session session, Plan plan) {
    return new Query(session, plan, "", null);
  }

  /** The message that is sent. */
  public Plan plan() {
    return plan;
  }

  /**
   * Gives the parameters {@code $1}, {@code $2} and so on their values.
   *
   * @param values Java values as {@link Literal#of} takes them, or {@link Literal}s
   */
  public Query bind(Object... values) {
    SqlText.Builder sql = unbound();
    Arrays.stream(values)
        .map(Literal::of)
        .map(Literal::toProto)
        .forEach(sql::addPositionalParameters);
    return bound(sql);
  }

  /**
   * Gives the parameters {@code $name} their values.
   *
   * @param values by name without the dollar sign, as {@link #bind(Object...)} takes them
   */
  public Query bind(Map<String, ?> values) {
    SqlText.Builder sql = unbound();
    values.forEach(
        (name, value) ->
            sql.addNamedParameters(
                NamedParameter.newBuilder()
                    .setName(Checks.text(name, "a parameter's name"))
                    .setValue(Literal.of(value).toProto())));
    return bound(sql);
  }

  /**
   * Bounds how long {@link #fetch} waits for the job to end; a job that takes longer is cancelled,
   * and the call fails with {@code DEADLINE_EXCEEDED}.
   */
  public Query withTimeout(Duration limit) {
    return new Query(session, plan, text, Checks.timeout(limit));
  }

  /**
   * Plans the query without running it, and tells its columns.
   *
   * @throws SpringaldException if the query does not plan
   */
  public Schema schema() {
    DescribeQueryRequest request =
        DescribeQueryRequest.newBuilder().setSessionId(session.id()).setPlan(plan).build();
    try {
      return TypeCodec.schemaFromProto(
          session.call(SchedulerServiceBlockingStub::describeQuery, request).getSchema());
    } catch (SpringaldException error) {
      throw SqlPointer.withCaret(error, text);
    }
  }

  /**
   * Starts the query in the background.
   *
   * @throws SpringaldException if the scheduler does not accept it
   */
  public Job execute() {
    session.checkOpen();
    return new Job(session, plan, text);
  }

  /**
   * Runs the query and returns its rows, which are fetched bit by bit while they are read.
   *
   * @throws SpringaldException if the query fails
   */
  public Result fetch() {
    Job job = execute();
    try {
      if (timeout != null && !job.await(timeout)) {
        job.cancel("it took longer than " + timeout.toMillis() + " ms");
        throw ErrorCode.DEADLINE_EXCEEDED.error(
            "a query ends within its timeout: got none of "
                + job.id()
                + " within "
                + timeout.toMillis()
                + " ms; give it longer");
      }
      return job.result();
    } catch (RuntimeException failed) {
      job.close();
      throw failed;
    }
  }

  private Query bound(SqlText.Builder sql) {
    PlanVersion version =
        plan.getVersion().toBuilder().setMinor(Limits.PLAN_MINOR_FOR_TREES).build();
    Plan whole = plan.toBuilder().setVersion(version).setSql(sql).build();
    return new Query(session, whole, text, timeout);
  }

  private SqlText.Builder unbound() {
    if (!plan.hasSql()) {
      throw ErrorCode.INVALID_ARGUMENT.error(
          "parameters are bound to the text of a statement: got a plan");
    }
    return plan.getSql().toBuilder().clearPositionalParameters().clearNamedParameters();
  }
}
