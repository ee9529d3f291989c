package dev.springald;

/**
 * Which rows a join puts out.
 *
 * <pre>{@code
 * Relation late = orders.join(lines, JoinType.LEFT_SEMI, col("o_id").equalTo(col("l_id")));
 * }</pre>
 */
public enum JoinType {
  /** Each matching pair. */
  INNER,
  /** As inner, and each left row without a match beside nulls. */
  LEFT,
  /** As inner, and each right row without a match beside nulls. */
  RIGHT,
  /** As inner, and each row of either side without a match beside nulls. */
  FULL,
  /** Each left row with a match, once. */
  LEFT_SEMI,
  /** Each right row with a match, once. */
  RIGHT_SEMI,
  /** Each left row without a match. */
  LEFT_ANTI,
  /** Each right row without a match. */
  RIGHT_ANTI
}
