package dev.springald;

import java.util.ArrayList;
import java.util.List;
import springald.plan.v1.Expressions.CaseExpression;

/**
 * Values by conditions, of which the first that is true counts.
 *
 * <pre>{@code
 * Expr size = when(col("n").less(10), "small").when(col("n").less(100), "large").otherwise("huge");
 * }</pre>
 */
public final class Case {
  private final List<Expr> branches;

  Case(List<Expr> branches) {
    this.branches = branches;
  }

  /** Another branch, for rows to which those before do not apply. */
  public Case when(Expr condition, Object value) {
    List<Expr> more = new ArrayList<>(branches);
    more.addAll(List.of(condition, Expr.of(value)));
    return new Case(more);
  }

  /** The value of rows to which no branch applies. */
  public Expr otherwise(Object value) {
    List<Expr> operands = new ArrayList<>(branches);
    operands.add(Expr.of(value));
    CaseExpression all = CaseExpression.newBuilder().setHasDefault(true).build();
    return new Expr(operands, (writer, message) -> message.setCaseWhen(all));
  }

  /** Null for rows to which no branch applies. */
  public Expr orNull() {
    return new Expr(
        branches, (writer, message) -> message.setCaseWhen(CaseExpression.getDefaultInstance()));
  }
}
