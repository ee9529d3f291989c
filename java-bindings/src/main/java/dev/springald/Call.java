package dev.springald;

import java.util.List;
import springald.plan.v1.Functions.CallExpression;
import springald.plan.v1.Functions.FunctionKind;
import springald.plan.v1.Functions.Window;

/**
 * A call of an aggregate or window function, with what modifies it.
 *
 * <pre>{@code
 * Relation spent =
 *     orders.aggregate(
 *         List.of(col("name")),
 *         Call.sum(col("paid")).as("paid"),
 *         Call.count(col("product")).distinct().as("products"),
 *         Call.count().filter(col("paid").greater(100)).as("large"));
 * }</pre>
 */
public final class Call {
  private final CallExpression call;
  private final List<Expr> arguments;
  private final Expr condition;
  private final List<Expr> partitions;
  private final List<SortKey> order;

  private Call(
      CallExpression call,
      List<Expr> arguments,
      Expr condition,
      List<Expr> partitions,
      List<SortKey> order) {
    this.call = call;
    this.arguments = arguments;
    this.condition = condition;
    this.partitions = partitions;
    this.order = order;
  }

  static Call scalar(String function, List<Expr> arguments) {
    return of(function, FunctionKind.FUNCTION_KIND_SCALAR, arguments);
  }

  /** An aggregate function by its name in SQL. */
  public static Call aggregate(String function, Object... arguments) {
    return of(function, FunctionKind.FUNCTION_KIND_AGGREGATE, Expr.expressions(arguments));
  }

  /** The sum. */
  public static Call sum(Object value) {
    return aggregate("sum", value);
  }

  /** The mean. */
  public static Call avg(Object value) {
    return aggregate("avg", value);
  }

  /** The smallest value. */
  public static Call min(Object value) {
    return aggregate("min", value);
  }

  /** The largest value. */
  public static Call max(Object value) {
    return aggregate("max", value);
  }

  /** The number of rows. */
  public static Call count() {
    return aggregate("count");
  }

  /** The number of values that are not null. */
  public static Call count(Object value) {
    return aggregate("count", value);
  }

  /** Takes equal arguments once. */
  public Call distinct() {
    return new Call(
        call.toBuilder().setDistinct(true).build(), arguments, condition, partitions, order);
  }

  /** Sees only rows for which a condition is true. */
  public Call filter(Expr only) {
    return new Call(call, arguments, only, partitions, order);
  }

  /**
   * Computes a value for each row, over the rows that are equal in some expressions: all of them,
   * or with an order those up to the row and its peers.
   */
  public Expr over(List<Expr> partitionBy, SortKey... orderBy) {
    CallExpression windowed =
        call.toBuilder().setFunctionKind(FunctionKind.FUNCTION_KIND_WINDOW).build();
    return new Call(windowed, arguments, condition, partitionBy, List.of(orderBy)).toExpr();
  }

  /** The call as a column of a name. */
  public Expr as(String name) {
    return toExpr().as(name);
  }

  /** The call as an expression. */
  public Expr toExpr() {
    return new Expr(
        arguments,
        (writer, message) -> {
          CallExpression.Builder whole = call.toBuilder();
          if (condition != null) {
            whole.setFilterId(writer.write(condition));
          }
          if (call.getFunctionKind() == FunctionKind.FUNCTION_KIND_WINDOW) {
            Window.Builder window = whole.getWindowBuilder();
            partitions.forEach(each -> window.addPartitionIds(writer.write(each)));
            order.forEach(key -> window.addSortKeyIds(writer.write(key.toExpr())));
          }
          message.setCall(whole);
        });
  }

  private static Call of(String function, FunctionKind kind, List<Expr> arguments) {
    CallExpression call =
        CallExpression.newBuilder().setFunctionName(function).setFunctionKind(kind).build();
    return new Call(call, arguments, null, List.of(), List.of());
  }
}
