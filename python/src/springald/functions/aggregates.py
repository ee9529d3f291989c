"""Aggregate functions: one value out of all rows of a group."""

# Written by tools/generate_functions.py, which `nox -s functions` runs: do not edit.

from springald.expr.calls import OrderBy, aggregate_call, arguments, ordered_set_call
from springald.expr.expr import Expr, IntoExpr, IntoSortKey
from springald.expr.window import NullTreatment

__all__ = [
    "any_value",
    "approx_distinct",
    "approx_median",
    "approx_percentile_cont",
    "approx_percentile_cont_with_weight",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "covar",
    "covar_pop",
    "covar_samp",
    "first_value",
    "grouping",
    "last_value",
    "max",
    "mean",
    "median",
    "min",
    "nth_value",
    "percentile_cont",
    "quantile_cont",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var",
    "var_pop",
    "var_population",
    "var_samp",
    "var_sample",
]


def any_value(expression: IntoExpr, filter: Expr | None = None) -> Expr:
    """Returns an arbitrary non-NULL value from a group, or NULL if the group contains only NULL
    values.

    Example:
        >>> any_value(col("a"))
        Expr(any_value(a))
    """
    return aggregate_call("any_value", arguments(expression), filter=filter)


def approx_distinct(expression: IntoExpr, filter: Expr | None = None) -> Expr:
    """Returns the approximate number of distinct input values calculated using the HyperLogLog
    algorithm.

    Example:
        >>> approx_distinct(col("a"))
        Expr(approx_distinct(a))
    """
    return aggregate_call("approx_distinct", arguments(expression), filter=filter)


def approx_median(expression: IntoExpr, filter: Expr | None = None) -> Expr:
    """Returns the approximate median (50th percentile) of input values. It is an alias of
    `approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY x)`.

    Example:
        >>> approx_median(col("a"))
        Expr(approx_median(a))
    """
    return aggregate_call("approx_median", arguments(expression), filter=filter)


def approx_percentile_cont(
    sort_expression: IntoSortKey,
    percentile: IntoExpr,
    num_centroids: IntoExpr = None,
    filter: Expr | None = None,
) -> Expr:
    """Returns the approximate percentile of input values using the t-digest algorithm.

    Example:
        >>> approx_percentile_cont(col("a"), col("b"))
        Expr(approx_percentile_cont(b) WITHIN GROUP (ORDER BY a NULLS LAST))
    """
    return ordered_set_call(
        "approx_percentile_cont",
        sort_expression,
        arguments(percentile, optional=((num_centroids, None),)),
        filter=filter,
    )


def approx_percentile_cont_with_weight(
    sort_expression: IntoSortKey,
    weight: IntoExpr,
    percentile: IntoExpr,
    num_centroids: IntoExpr = None,
    filter: Expr | None = None,
) -> Expr:
    """Returns the weighted approximate percentile of input values using the t-digest algorithm.

    Example:
        >>> approx_percentile_cont_with_weight(col("a"), col("b"), col("c"))
        Expr(approx_percentile_cont_with_weight(b, c) WITHIN GROUP (ORDER BY a NULLS LAST))
    """
    return ordered_set_call(
        "approx_percentile_cont_with_weight",
        sort_expression,
        arguments(weight, percentile, optional=((num_centroids, None),)),
        filter=filter,
    )


def array_agg(
    expression: IntoExpr,
    distinct: bool = False,
    filter: Expr | None = None,
    order_by: OrderBy = None,
) -> Expr:
    """Returns an array created from the expression elements. If ordering is required, elements are
    inserted in the specified order.

    Example:
        >>> array_agg(col("a"))
        Expr(array_agg(a))
    """
    return aggregate_call(
        "array_agg", arguments(expression), distinct=distinct, filter=filter, order_by=order_by
    )


def avg(expression: IntoExpr, distinct: bool = False, filter: Expr | None = None) -> Expr:
    """Returns the average of numeric values in the specified column.

    Example:
        >>> avg(col("a"))
        Expr(avg(a))
    """
    return aggregate_call("avg", arguments(expression), distinct=distinct, filter=filter)


def bit_and(expression: IntoExpr, distinct: bool = False, filter: Expr | None = None) -> Expr:
    """Computes the bitwise AND of all non-NULL input values.

    Example:
        >>> bit_and(col("a"))
        Expr(bit_and(a))
    """
    return aggregate_call("bit_and", arguments(expression), distinct=distinct, filter=filter)


def bit_or(expression: IntoExpr, distinct: bool = False, filter: Expr | None = None) -> Expr:
    """Computes the bitwise OR of all non-NULL input values.

    Example:
        >>> bit_or(col("a"))
        Expr(bit_or(a))
    """
    return aggregate_call("bit_or", arguments(expression), distinct=distinct, filter=filter)


def bit_xor(expression: IntoExpr, distinct: bool = False, filter: Expr | None = None) -> Expr:
    """Computes the bitwise exclusive OR of all non-NULL input values.

    Example:
        >>> bit_xor(col("a"))
        Expr(bit_xor(a))
    """
    return aggregate_call("bit_xor", arguments(expression), distinct=distinct, filter=filter)


def bool_and(expression: IntoExpr, filter: Expr | None = None) -> Expr:
    """Returns true if all non-NULL input values are true, otherwise false.

    Example:
        >>> bool_and(col("a"))
        Expr(bool_and(a))
    """
    return aggregate_call("bool_and", arguments(expression), filter=filter)


def bool_or(expression: IntoExpr, filter: Expr | None = None) -> Expr:
    """Returns true if any value that is not NULL is true, and false if all are false.

    Example:
        >>> bool_or(col("a"))
        Expr(bool_or(a))
    """
    return aggregate_call("bool_or", arguments(expression), filter=filter)


def corr(value_y: IntoExpr, value_x: IntoExpr, filter: Expr | None = None) -> Expr:
    """Returns the coefficient of correlation between two numeric values.

    Example:
        >>> corr(col("a"), col("b"))
        Expr(corr(a, b))
    """
    return aggregate_call("corr", arguments(value_y, value_x), filter=filter)


def covar_pop(value_y: IntoExpr, value_x: IntoExpr, filter: Expr | None = None) -> Expr:
    """Returns the population covariance of a set of pairs of numbers.

    Example:
        >>> covar_pop(col("a"), col("b"))
        Expr(covar_pop(a, b))
    """
    return aggregate_call("covar_pop", arguments(value_y, value_x), filter=filter)


def covar_samp(value_y: IntoExpr, value_x: IntoExpr, filter: Expr | None = None) -> Expr:
    """Returns the sample covariance of a set of number pairs.

    Example:
        >>> covar_samp(col("a"), col("b"))
        Expr(covar_samp(a, b))
    """
    return aggregate_call("covar_samp", arguments(value_y, value_x), filter=filter)


def first_value(
    expression: IntoExpr,
    filter: Expr | None = None,
    order_by: OrderBy = None,
    null_treatment: NullTreatment | None = None,
) -> Expr:
    """Returns the first element in an aggregation group according to the requested ordering. If no
    ordering is given, returns an arbitrary element from the group.

    Example:
        >>> first_value(col("a"))
        Expr(first_value(a))
    """
    return aggregate_call(
        "first_value",
        arguments(expression),
        filter=filter,
        order_by=order_by,
        null_treatment=null_treatment,
    )


def grouping(expression: IntoExpr, distinct: bool = False, filter: Expr | None = None) -> Expr:
    """Returns 1 if the data is aggregated across the specified column, or 0 if it is not
    aggregated in the result set.

    Example:
        >>> grouping(col("a"))
        Expr(grouping(a))
    """
    return aggregate_call("grouping", arguments(expression), distinct=distinct, filter=filter)


def last_value(
    expression: IntoExpr,
    filter: Expr | None = None,
    order_by: OrderBy = None,
    null_treatment: NullTreatment | None = None,
) -> Expr:
    """Returns the last element in an aggregation group according to the requested ordering. If no
    ordering is given, returns an arbitrary element from the group.

    Example:
        >>> last_value(col("a"))
        Expr(last_value(a))
    """
    return aggregate_call(
        "last_value",
        arguments(expression),
        filter=filter,
        order_by=order_by,
        null_treatment=null_treatment,
    )


def max(expression: IntoExpr, filter: Expr | None = None) -> Expr:
    """Returns the maximum value in the specified column.

    Example:
        >>> max(col("a"))
        Expr(max(a))
    """
    return aggregate_call("max", arguments(expression), filter=filter)


def median(expression: IntoExpr, distinct: bool = False, filter: Expr | None = None) -> Expr:
    """Returns the median value in the specified column.

    Example:
        >>> median(col("a"))
        Expr(median(a))
    """
    return aggregate_call("median", arguments(expression), distinct=distinct, filter=filter)


def min(expression: IntoExpr, filter: Expr | None = None) -> Expr:
    """Returns the minimum value in the specified column.

    Example:
        >>> min(col("a"))
        Expr(min(a))
    """
    return aggregate_call("min", arguments(expression), filter=filter)


def nth_value(
    expression: IntoExpr,
    n: IntoExpr,
    filter: Expr | None = None,
    order_by: OrderBy = None,
    null_treatment: NullTreatment | None = None,
) -> Expr:
    """Returns the nth value in a group of values.

    Example:
        >>> nth_value(col("a"), col("b"))
        Expr(nth_value(a, b))
    """
    return aggregate_call(
        "nth_value",
        arguments(expression, n),
        filter=filter,
        order_by=order_by,
        null_treatment=null_treatment,
    )


def percentile_cont(
    sort_expression: IntoSortKey,
    percentile: IntoExpr,
    distinct: bool = False,
    filter: Expr | None = None,
) -> Expr:
    """Returns the exact percentile of input values, interpolating between values if needed.

    Example:
        >>> percentile_cont(col("a"), col("b"))
        Expr(percentile_cont(b) WITHIN GROUP (ORDER BY a NULLS LAST))
    """
    return ordered_set_call(
        "percentile_cont", sort_expression, arguments(percentile), distinct=distinct, filter=filter
    )


def regr_avgx(y: IntoExpr, x: IntoExpr, filter: Expr | None = None) -> Expr:
    """Computes the average of the independent variable (input) expression_x for the non-NULL
    paired data points.

    Example:
        >>> regr_avgx(col("a"), col("b"))
        Expr(regr_avgx(a, b))
    """
    return aggregate_call("regr_avgx", arguments(y, x), filter=filter)


def regr_avgy(y: IntoExpr, x: IntoExpr, filter: Expr | None = None) -> Expr:
    """Computes the average of the dependent variable (output) expression_y for the non-NULL paired
    data points.

    Example:
        >>> regr_avgy(col("a"), col("b"))
        Expr(regr_avgy(a, b))
    """
    return aggregate_call("regr_avgy", arguments(y, x), filter=filter)


def regr_count(y: IntoExpr, x: IntoExpr, filter: Expr | None = None) -> Expr:
    """Counts the number of non-NULL paired data points.

    Example:
        >>> regr_count(col("a"), col("b"))
        Expr(regr_count(a, b))
    """
    return aggregate_call("regr_count", arguments(y, x), filter=filter)


def regr_intercept(y: IntoExpr, x: IntoExpr, filter: Expr | None = None) -> Expr:
    """Computes the y-intercept of the linear regression line. For the equation (y = kx + b), this
    function returns b.

    Example:
        >>> regr_intercept(col("a"), col("b"))
        Expr(regr_intercept(a, b))
    """
    return aggregate_call("regr_intercept", arguments(y, x), filter=filter)


def regr_r2(y: IntoExpr, x: IntoExpr, filter: Expr | None = None) -> Expr:
    """Computes the square of the correlation coefficient between the independent and dependent
    variables.

    Example:
        >>> regr_r2(col("a"), col("b"))
        Expr(regr_r2(a, b))
    """
    return aggregate_call("regr_r2", arguments(y, x), filter=filter)


def regr_slope(y: IntoExpr, x: IntoExpr, filter: Expr | None = None) -> Expr:
    """Returns the slope of the linear regression line for non-NULL pairs in aggregate columns.
    Given input column Y and X: regr_slope(Y, X) returns the slope (k in Y = k*X + b) using
    minimal RSS fitting.

    Example:
        >>> regr_slope(col("a"), col("b"))
        Expr(regr_slope(a, b))
    """
    return aggregate_call("regr_slope", arguments(y, x), filter=filter)


def regr_sxx(y: IntoExpr, x: IntoExpr, filter: Expr | None = None) -> Expr:
    """Computes the sum of squares of the independent variable.

    Example:
        >>> regr_sxx(col("a"), col("b"))
        Expr(regr_sxx(a, b))
    """
    return aggregate_call("regr_sxx", arguments(y, x), filter=filter)


def regr_sxy(y: IntoExpr, x: IntoExpr, filter: Expr | None = None) -> Expr:
    """Computes the sum of products of paired data points.

    Example:
        >>> regr_sxy(col("a"), col("b"))
        Expr(regr_sxy(a, b))
    """
    return aggregate_call("regr_sxy", arguments(y, x), filter=filter)


def regr_syy(y: IntoExpr, x: IntoExpr, filter: Expr | None = None) -> Expr:
    """Computes the sum of squares of the dependent variable.

    Example:
        >>> regr_syy(col("a"), col("b"))
        Expr(regr_syy(a, b))
    """
    return aggregate_call("regr_syy", arguments(y, x), filter=filter)


def stddev(expression: IntoExpr, filter: Expr | None = None) -> Expr:
    """Returns the standard deviation of a set of numbers.

    Example:
        >>> stddev(col("a"))
        Expr(stddev(a))
    """
    return aggregate_call("stddev", arguments(expression), filter=filter)


def stddev_pop(expression: IntoExpr, filter: Expr | None = None) -> Expr:
    """Returns the population standard deviation of a set of numbers.

    Example:
        >>> stddev_pop(col("a"))
        Expr(stddev_pop(a))
    """
    return aggregate_call("stddev_pop", arguments(expression), filter=filter)


def string_agg(
    expression: IntoExpr,
    delimiter: IntoExpr,
    distinct: bool = False,
    filter: Expr | None = None,
    order_by: OrderBy = None,
) -> Expr:
    """Concatenates the values of string expressions and places separator values between them. If
    ordering is required, strings are concatenated in the specified order.

    Example:
        >>> string_agg(col("a"), col("b"))
        Expr(string_agg(a, b))
    """
    return aggregate_call(
        "string_agg",
        arguments(expression, delimiter),
        distinct=distinct,
        filter=filter,
        order_by=order_by,
    )


def sum(expression: IntoExpr, distinct: bool = False, filter: Expr | None = None) -> Expr:
    """Returns the sum of all values in the specified column.

    Example:
        >>> sum(col("a"))
        Expr(sum(a))
    """
    return aggregate_call("sum", arguments(expression), distinct=distinct, filter=filter)


def var(expression: IntoExpr, filter: Expr | None = None) -> Expr:
    """Returns the statistical sample variance of a set of numbers.

    Example:
        >>> var(col("a"))
        Expr(var(a))
    """
    return aggregate_call("var", arguments(expression), filter=filter)


def var_pop(expression: IntoExpr, filter: Expr | None = None) -> Expr:
    """Returns the statistical population variance of a set of numbers.

    Example:
        >>> var_pop(col("a"))
        Expr(var_pop(a))
    """
    return aggregate_call("var_pop", arguments(expression), filter=filter)


covar = covar_samp
mean = avg
quantile_cont = percentile_cont
stddev_samp = stddev
var_population = var_pop
var_samp = var
var_sample = var
