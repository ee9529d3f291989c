package dev.springald;

import java.util.List;
import java.util.Optional;
import springald.plan.v1.Expressions.NullsOrder;
import springald.plan.v1.Expressions.SortDirection;
import springald.plan.v1.Expressions.SortKeyExpression;

/**
 * A key of an order.
 *
 * <pre>{@code
 * Relation ordered = orders.sort(col("paid").descending().nullsLast(), col("name").ascending());
 * }</pre>
 */
public final class SortKey {
  private final Expr value;
  private final boolean isDescending;
  private final Optional<NullsOrder> nulls;

  SortKey(Expr value, boolean isDescending, Optional<NullsOrder> nulls) {
    this.value = value;
    this.isDescending = isDescending;
    this.nulls = nulls;
  }

  /** Nulls before all values. */
  public SortKey nullsFirst() {
    return new SortKey(value, isDescending, Optional.of(NullsOrder.NULLS_ORDER_FIRST));
  }

  /** Nulls behind all values. */
  public SortKey nullsLast() {
    return new SortKey(value, isDescending, Optional.of(NullsOrder.NULLS_ORDER_LAST));
  }

  Expr toExpr() {
    SortKeyExpression.Builder key =
        SortKeyExpression.newBuilder()
            .setDirection(
                isDescending
                    ? SortDirection.SORT_DIRECTION_DESCENDING
                    : SortDirection.SORT_DIRECTION_ASCENDING);
    nulls.ifPresent(key::setNulls);
    return new Expr(List.of(value), (writer, message) -> message.setSortKey(key));
  }
}
