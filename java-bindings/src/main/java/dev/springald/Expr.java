package dev.springald;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import springald.plan.v1.Expressions.AliasExpression;
import springald.plan.v1.Expressions.BetweenExpression;
import springald.plan.v1.Expressions.CastExpression;
import springald.plan.v1.Expressions.CastFailure;
import springald.plan.v1.Expressions.ColumnExpression;
import springald.plan.v1.Expressions.ExistsExpression;
import springald.plan.v1.Expressions.InListExpression;
import springald.plan.v1.Expressions.InSubqueryExpression;
import springald.plan.v1.Expressions.LikeExpression;
import springald.plan.v1.Expressions.LiteralExpression;
import springald.plan.v1.Expressions.OuterColumnExpression;
import springald.plan.v1.Expressions.PatternSyntax;
import springald.plan.v1.Expressions.ScalarSubqueryExpression;
import springald.plan.v1.Names.ColumnName;
import springald.plan.v1.PlanOuterClass.Expression;

/**
 * What a plan computes for each row: columns, values, operators and calls. It never changes.
 *
 * <p>Arguments that are no expressions are constants, as {@link Literal#of} takes them. Columns are
 * named in their own letters.
 *
 * <pre>{@code
 * Expr net = col("price").times(lit(1L).minus(col("discount"))).as("net");
 * Expr recent = col("day").greaterOrEqual(LocalDate.of(2026, 1, 1)).and(col("paid").isNotNull());
 * }</pre>
 */
public final class Expr {
  private final List<Expr> operands;
  private final PlanWriter.Kind<Expression.Builder> kind;

  Expr(List<Expr> operands, PlanWriter.Kind<Expression.Builder> kind) {
    this.operands = List.copyOf(operands);
    this.kind = kind;
  }

  /** A column by its name. */
  public static Expr col(String name) {
    ColumnName column = ColumnName.newBuilder().setName(name).build();
    return named(column);
  }

  /** A column by its name and the table or alias that it comes from. */
  public static Expr col(String qualifier, String name) {
    return named(ColumnName.newBuilder().setQualifier(qualifier).setName(name).build());
  }

  /** A column of the query round a subquery, by the table or alias that it comes from. */
  public static Expr outer(String qualifier, String name) {
    ColumnName column = ColumnName.newBuilder().setQualifier(qualifier).setName(name).build();
    return leaf(
        message -> message.setOuterColumn(OuterColumnExpression.newBuilder().setName(column)));
  }

  /** A constant, as {@link Literal#of} takes it. */
  public static Expr lit(Object value) {
    LiteralExpression literal =
        LiteralExpression.newBuilder().setValue(Literal.of(value).toProto()).build();
    return leaf(message -> message.setLiteral(literal));
  }

  /** A scalar function or operator by its name in SQL. */
  public static Expr call(String function, Object... arguments) {
    return Call.scalar(function, expressions(arguments)).toExpr();
  }

  /** The only value of a relation with one column: null if it has no row. */
  public static Expr scalar(Relation query) {
    return new Expr(
        List.of(),
        (writer, message) ->
            message.setScalarSubquery(
                ScalarSubqueryExpression.newBuilder().setRelationId(writer.write(query))));
  }

  /** Whether a relation has rows. */
  public static Expr exists(Relation query) {
    return new Expr(
        List.of(),
        (writer, message) ->
            message.setExists(ExistsExpression.newBuilder().setRelationId(writer.write(query))));
  }

  /** The first branch of conditions and values, followed by more. */
  public static Case when(Expr condition, Object value) {
    return new Case(List.of(condition, of(value)));
  }

  /** The same value under another name. */
  public Expr as(String name) {
    AliasExpression alias = AliasExpression.newBuilder().setName(name).build();
    return new Expr(List.of(this), (writer, message) -> message.setAlias(alias));
  }

  /** The sum. */
  public Expr plus(Object other) {
    return call("+", this, other);
  }

  /** The difference. */
  public Expr minus(Object other) {
    return call("-", this, other);
  }

  /** The product. */
  public Expr times(Object other) {
    return call("*", this, other);
  }

  /** The quotient. */
  public Expr dividedBy(Object other) {
    return call("/", this, other);
  }

  /** Whether values are equal. */
  public Expr equalTo(Object other) {
    return call("=", this, other);
  }

  /** Whether values differ. */
  public Expr notEqualTo(Object other) {
    return call("<>", this, other);
  }

  /** Whether this value is smaller. */
  public Expr less(Object other) {
    return call("<", this, other);
  }

  /** Whether this value is smaller, or equal. */
  public Expr lessOrEqual(Object other) {
    return call("<=", this, other);
  }

  /** Whether this value is larger. */
  public Expr greater(Object other) {
    return call(">", this, other);
  }

  /** Whether this value is larger, or equal. */
  public Expr greaterOrEqual(Object other) {
    return call(">=", this, other);
  }

  /** Whether both are true. */
  public Expr and(Expr other) {
    return call("and", this, other);
  }

  /** Whether one is true. */
  public Expr or(Expr other) {
    return call("or", this, other);
  }

  /** Whether this is false. */
  public Expr not() {
    return call("not", this);
  }

  /** Whether there is no value. */
  public Expr isNull() {
    return call("is null", this);
  }

  /** Whether there is a value. */
  public Expr isNotNull() {
    return call("is not null", this);
  }

  /** Whether the value lies between two others, both included. */
  public Expr between(Object low, Object high) {
    return new Expr(
        List.of(this, of(low), of(high)),
        (writer, message) -> message.setBetween(BetweenExpression.getDefaultInstance()));
  }

  /** Whether the value equals one of a list. */
  public Expr in(Object... values) {
    List<Expr> operands = new ArrayList<>(List.of(this));
    operands.addAll(expressions(values));
    return new Expr(
        operands, (writer, message) -> message.setInList(InListExpression.getDefaultInstance()));
  }

  /** Whether the value equals that of a row of a relation with one column. */
  public Expr in(Relation query) {
    return new Expr(
        List.of(this),
        (writer, message) ->
            message.setInSubquery(
                InSubqueryExpression.newBuilder().setRelationId(writer.write(query))));
  }

  /** Whether text looks like a pattern of SQL's {@code LIKE}. */
  public Expr like(Object pattern) {
    LikeExpression like =
        LikeExpression.newBuilder().setSyntax(PatternSyntax.PATTERN_SYNTAX_LIKE).build();
    return new Expr(List.of(this, of(pattern)), (writer, message) -> message.setLike(like));
  }

  /** The value as another type; what cannot be converted fails the query. */
  public Expr cast(ArrowType type) {
    return cast(type, CastFailure.CAST_FAILURE_ERROR);
  }

  /** The value as another type, or null where it cannot be converted. */
  public Expr tryCast(ArrowType type) {
    return cast(type, CastFailure.CAST_FAILURE_NULL);
  }

  /** The order of this value, the smallest first and nulls last. */
  public SortKey ascending() {
    return new SortKey(this, false, Optional.empty());
  }

  /** The order of this value, the largest first and nulls first. */
  public SortKey descending() {
    return new SortKey(this, true, Optional.empty());
  }

  List<Expr> operands() {
    return operands;
  }

  PlanWriter.Kind<Expression.Builder> kind() {
    return kind;
  }

  /** An expression as it is, and anything else as a constant. */
  static Expr of(Object value) {
    return value instanceof Expr expression ? expression : lit(value);
  }

  static List<Expr> expressions(Object... values) {
    return Arrays.stream(values).map(Expr::of).toList();
  }

  private static Expr named(ColumnName column) {
    return leaf(message -> message.setColumn(ColumnExpression.newBuilder().setName(column)));
  }

  private static Expr leaf(java.util.function.Consumer<Expression.Builder> kind) {
    return new Expr(List.of(), (writer, message) -> kind.accept(message));
  }

  private Expr cast(ArrowType type, CastFailure failure) {
    CastExpression cast =
        CastExpression.newBuilder()
            .setType(TypeWriter.dataType(Field.nullable("", type)))
            .setFailure(failure)
            .build();
    return new Expr(List.of(this), (writer, message) -> message.setCast(cast));
  }
}
