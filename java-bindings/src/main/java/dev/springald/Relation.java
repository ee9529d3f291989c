package dev.springald;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import springald.plan.v1.Names.TableName;
import springald.plan.v1.PlanOuterClass;
import springald.plan.v1.PlanOuterClass.Plan;
import springald.plan.v1.Relations.AggregateRelation;
import springald.plan.v1.Relations.DistinctRelation;
import springald.plan.v1.Relations.FetchRelation;
import springald.plan.v1.Relations.FilterRelation;
import springald.plan.v1.Relations.JoinKey;
import springald.plan.v1.Relations.JoinRelation;
import springald.plan.v1.Relations.ProjectionRelation;
import springald.plan.v1.Relations.SetOperationRelation;
import springald.plan.v1.Relations.SetOperationType;
import springald.plan.v1.Relations.SortRelation;
import springald.plan.v1.Relations.SubqueryAliasRelation;
import springald.plan.v1.Relations.WithColumnsRelation;
import springald.plan.v1.Sources.ReadNamedTableRelation;
import springald.plan.v1.Sources.SqlRelation;

/**
 * Rows that a plan asks for, built step by step from tables; it never changes. What each step means
 * stands in {@code proto/springald/plan/v1}; what this small builder has no step for can be said in
 * SQL by {@link #sql}, or with the messages themselves.
 *
 * <pre>{@code
 * Relation paid =
 *     Relation.table("orders")
 *         .filter(col("paid").greater(10))
 *         .aggregate(List.of(col("name")), Call.sum(col("paid")).as("paid"))
 *         .sort(col("paid").descending())
 *         .limit(10);
 * try (Result result = session.plan(paid.toPlan()).fetch()) {
 *   result.printTo(System.out);
 * }
 * }</pre>
 */
public final class Relation {
  private final List<Relation> inputs;
  private final PlanWriter.Kind<PlanOuterClass.Relation.Builder> kind;

  private Relation(List<Relation> inputs, PlanWriter.Kind<PlanOuterClass.Relation.Builder> kind) {
    this.inputs = inputs;
    this.kind = kind;
  }

  /** All rows of a table or view of the session. */
  public static Relation table(String name) {
    return table(ReadNamedTableRelation.newBuilder().setName(tableName(name)));
  }

  /** All rows of a table or view, whose columns have another qualifier than its name. */
  public static Relation table(String name, String alias) {
    return table(ReadNamedTableRelation.newBuilder().setName(tableName(name)).setAlias(alias));
  }

  /** The rows of a query in SQL. */
  public static Relation sql(String query) {
    SqlRelation sql = SqlRelation.newBuilder().setQuery(Checks.statement(query)).build();
    return new Relation(List.of(), (writer, message) -> message.setSql(sql));
  }

  /** The rows for which a condition is true. */
  public Relation filter(Expr condition) {
    return one(
        (writer, message) ->
            message.setFilter(FilterRelation.newBuilder().setConditionId(writer.write(condition))));
  }

  /** One column for each expression. */
  public Relation select(Expr... columns) {
    return one(
        (writer, message) -> {
          ProjectionRelation.Builder projection = message.getProjectionBuilder();
          Arrays.stream(columns).map(writer::write).forEach(projection::addExpressionIds);
        });
  }

  /** The columns that are there, and more. */
  public Relation withColumns(Expr... columns) {
    return one(
        (writer, message) -> {
          WithColumnsRelation.Builder more = message.getWithColumnsBuilder();
          Arrays.stream(columns).map(writer::write).forEach(more::addExpressionIds);
        });
  }

  /** One row for each combination of some values, or one for all rows. */
  public Relation aggregate(List<Expr> groupBy, Expr... aggregates) {
    return one(
        (writer, message) -> {
          AggregateRelation.Builder aggregate = message.getAggregateBuilder();
          groupBy.forEach(each -> aggregate.addGroupingIds(writer.write(each)));
          Arrays.stream(aggregates).map(writer::write).forEach(aggregate::addAggregateIds);
        });
  }

  /** The rows in an order. */
  public Relation sort(SortKey... keys) {
    return one(
        (writer, message) -> {
          SortRelation.Builder sort = message.getSortBuilder();
          Arrays.stream(keys).map(key -> writer.write(key.toExpr())).forEach(sort::addSortKeyIds);
        });
  }

  /** The first rows. */
  public Relation limit(long rows) {
    return limit(0, rows);
  }

  /** A run of rows. */
  public Relation limit(long skip, long rows) {
    FetchRelation fetch = FetchRelation.newBuilder().setSkipRows(skip).setFetchRows(rows).build();
    return one((writer, message) -> message.setFetch(fetch));
  }

  /** Each row once. */
  public Relation distinct() {
    return one((writer, message) -> message.setDistinct(DistinctRelation.getDefaultInstance()));
  }

  /** The same rows, whose columns have another qualifier. */
  public Relation as(String alias) {
    SubqueryAliasRelation named = SubqueryAliasRelation.newBuilder().setName(alias).build();
    return one((writer, message) -> message.setSubqueryAlias(named));
  }

  /** Pairs of rows for which a condition over the columns of both is true. */
  public Relation join(Relation right, JoinType type, Expr condition) {
    return new Relation(
        List.of(this, right),
        (writer, message) -> {
          int id = writer.write(condition);
          message.setJoin(joined(type).setConditionId(id));
        });
  }

  /** Pairs of rows that are equal in some values: those of this relation by those of the other. */
  public Relation join(Relation right, JoinType type, Map<Expr, Expr> keys) {
    return new Relation(
        List.of(this, right),
        (writer, message) -> {
          JoinRelation.Builder join = joined(type);
          keys.forEach(
              (mine, other) ->
                  join.addKeys(
                      JoinKey.newBuilder()
                          .setLeftId(writer.write(mine))
                          .setRightId(writer.write(other))));
          message.setJoin(join);
        });
  }

  /** Each row of this relation with each of the other. */
  public Relation crossJoin(Relation right) {
    return join(right, JoinType.INNER, Map.of());
  }

  /** The rows of both, columns by position. */
  public Relation unionAll(Relation other) {
    return set(SetOperationType.SET_OPERATION_TYPE_UNION_ALL, other);
  }

  /** The rows of both, each once. */
  public Relation union(Relation other) {
    return set(SetOperationType.SET_OPERATION_TYPE_UNION_DISTINCT, other);
  }

  /** The rows that are in both, each once. */
  public Relation intersect(Relation other) {
    return set(SetOperationType.SET_OPERATION_TYPE_INTERSECT_DISTINCT, other);
  }

  /** The rows that are in this one only, each once. */
  public Relation except(Relation other) {
    return set(SetOperationType.SET_OPERATION_TYPE_EXCEPT_DISTINCT, other);
  }

  /** The plan that asks for these rows. */
  public Plan toPlan() {
    return PlanWriter.plan(this);
  }

  List<Relation> inputs() {
    return inputs;
  }

  PlanWriter.Kind<PlanOuterClass.Relation.Builder> kind() {
    return kind;
  }

  private static Relation table(ReadNamedTableRelation.Builder table) {
    return new Relation(List.of(), (writer, message) -> message.setReadNamedTable(table));
  }

  private static TableName tableName(String name) {
    return TableName.newBuilder().setTable(name).build();
  }

  private static JoinRelation.Builder joined(JoinType type) {
    return JoinRelation.newBuilder()
        .setType(springald.plan.v1.Relations.JoinType.valueOf("JOIN_TYPE_" + type.name()));
  }

  private Relation set(SetOperationType type, Relation other) {
    SetOperationRelation operation = SetOperationRelation.newBuilder().setType(type).build();
    return new Relation(
        List.of(this, other), (writer, message) -> message.setSetOperation(operation));
  }

  private Relation one(PlanWriter.Kind<PlanOuterClass.Relation.Builder> does) {
    return new Relation(List.of(this), does);
  }
}
