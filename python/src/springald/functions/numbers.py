"""Functions of numbers."""

# Written by tools/generate_functions.py, which `nox -s functions` runs: do not edit.

from springald.expr.calls import arguments, scalar_call
from springald.expr.expr import Expr, IntoExpr

__all__ = [
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "cot",
    "degrees",
    "exp",
    "factorial",
    "floor",
    "gcd",
    "isnan",
    "iszero",
    "lcm",
    "ln",
    "log",
    "log2",
    "log10",
    "nanvl",
    "pi",
    "pow",
    "power",
    "radians",
    "rand",
    "random",
    "round",
    "signum",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
]


def abs(arg: IntoExpr) -> Expr:
    """Returns the absolute value of a number.

    Example:
        >>> abs(col("a"))
        Expr(abs(a))
    """
    return scalar_call("abs", arguments(arg))


def acos(arg: IntoExpr) -> Expr:
    """Returns the arc cosine or inverse cosine of a number.

    Example:
        >>> acos(col("a"))
        Expr(acos(a))
    """
    return scalar_call("acos", arguments(arg))


def acosh(arg: IntoExpr) -> Expr:
    """Returns the area hyperbolic cosine or inverse hyperbolic cosine of a number.

    Example:
        >>> acosh(col("a"))
        Expr(acosh(a))
    """
    return scalar_call("acosh", arguments(arg))


def asin(arg: IntoExpr) -> Expr:
    """Returns the arc sine or inverse sine of a number.

    Example:
        >>> asin(col("a"))
        Expr(asin(a))
    """
    return scalar_call("asin", arguments(arg))


def asinh(arg: IntoExpr) -> Expr:
    """Returns the area hyperbolic sine or inverse hyperbolic sine of a number.

    Example:
        >>> asinh(col("a"))
        Expr(asinh(a))
    """
    return scalar_call("asinh", arguments(arg))


def atan(arg: IntoExpr) -> Expr:
    """Returns the arc tangent or inverse tangent of a number.

    Example:
        >>> atan(col("a"))
        Expr(atan(a))
    """
    return scalar_call("atan", arguments(arg))


def atan2(y: IntoExpr, x: IntoExpr) -> Expr:
    """Returns the arc tangent or inverse tangent of `expression_y / expression_x`.

    Example:
        >>> atan2(col("a"), col("b"))
        Expr(atan2(a, b))
    """
    return scalar_call("atan2", arguments(y, x))


def atanh(arg: IntoExpr) -> Expr:
    """Returns the area hyperbolic tangent or inverse hyperbolic tangent of a number.

    Example:
        >>> atanh(col("a"))
        Expr(atanh(a))
    """
    return scalar_call("atanh", arguments(arg))


def cbrt(arg: IntoExpr) -> Expr:
    """Returns the cube root of a number.

    Example:
        >>> cbrt(col("a"))
        Expr(cbrt(a))
    """
    return scalar_call("cbrt", arguments(arg))


def ceil(arg: IntoExpr) -> Expr:
    """Returns the nearest integer greater than or equal to a number.

    Example:
        >>> ceil(col("a"))
        Expr(ceil(a))
    """
    return scalar_call("ceil", arguments(arg))


def cos(arg: IntoExpr) -> Expr:
    """Returns the cosine of a number.

    Example:
        >>> cos(col("a"))
        Expr(cos(a))
    """
    return scalar_call("cos", arguments(arg))


def cosh(arg: IntoExpr) -> Expr:
    """Returns the hyperbolic cosine of a number.

    Example:
        >>> cosh(col("a"))
        Expr(cosh(a))
    """
    return scalar_call("cosh", arguments(arg))


def cot(arg: IntoExpr) -> Expr:
    """Returns the cotangent of a number.

    Example:
        >>> cot(col("a"))
        Expr(cot(a))
    """
    return scalar_call("cot", arguments(arg))


def degrees(arg: IntoExpr) -> Expr:
    """Converts radians to degrees.

    Example:
        >>> degrees(col("a"))
        Expr(degrees(a))
    """
    return scalar_call("degrees", arguments(arg))


def exp(arg: IntoExpr) -> Expr:
    """Returns the base-e exponential of a number.

    Example:
        >>> exp(col("a"))
        Expr(exp(a))
    """
    return scalar_call("exp", arguments(arg))


def factorial(arg: IntoExpr) -> Expr:
    """Factorial of a non-negative integer. Errors if the argument is negative or the result
    overflows.

    Example:
        >>> factorial(col("a"))
        Expr(factorial(a))
    """
    return scalar_call("factorial", arguments(arg))


def floor(arg: IntoExpr) -> Expr:
    """Returns the nearest integer less than or equal to a number.

    Example:
        >>> floor(col("a"))
        Expr(floor(a))
    """
    return scalar_call("floor", arguments(arg))


def gcd(x: IntoExpr, y: IntoExpr) -> Expr:
    """Returns the greatest common divisor of `expression_x` and `expression_y`. Returns 0 if both
    inputs are zero.

    Example:
        >>> gcd(col("a"), col("b"))
        Expr(gcd(a, b))
    """
    return scalar_call("gcd", arguments(x, y))


def isnan(expr: IntoExpr) -> Expr:
    """Returns true if a given number is +NaN or -NaN otherwise returns false.

    Example:
        >>> isnan(col("a"))
        Expr(isnan(a))
    """
    return scalar_call("isnan", arguments(expr))


def iszero(arg: IntoExpr) -> Expr:
    """Returns true if a given number is +0.0 or -0.0 otherwise returns false.

    Example:
        >>> iszero(col("a"))
        Expr(iszero(a))
    """
    return scalar_call("iszero", arguments(arg))


def lcm(x: IntoExpr, y: IntoExpr) -> Expr:
    """Returns the least common multiple of `expression_x` and `expression_y`. Returns 0 if either
    input is zero.

    Example:
        >>> lcm(col("a"), col("b"))
        Expr(lcm(a, b))
    """
    return scalar_call("lcm", arguments(x, y))


def ln(arg: IntoExpr) -> Expr:
    """Returns the natural logarithm of a number.

    Example:
        >>> ln(col("a"))
        Expr(ln(a))
    """
    return scalar_call("ln", arguments(arg))


def log(base: IntoExpr, num: IntoExpr = None) -> Expr:
    """Returns the base-x logarithm of a number. Can either provide a specified base, or if omitted
    then takes the base-10 of a number.

    Example:
        >>> log(col("a"))
        Expr(log(a))
    """
    return scalar_call("log", arguments(base, optional=((num, None),)))


def log10(arg: IntoExpr) -> Expr:
    """Returns the base-10 logarithm of a number.

    Example:
        >>> log10(col("a"))
        Expr(log10(a))
    """
    return scalar_call("log10", arguments(arg))


def log2(arg: IntoExpr) -> Expr:
    """Returns the base-2 logarithm of a number.

    Example:
        >>> log2(col("a"))
        Expr(log2(a))
    """
    return scalar_call("log2", arguments(arg))


def nanvl(x: IntoExpr, y: IntoExpr) -> Expr:
    """Returns the first argument if it's not NaN. Returns the second argument otherwise.

    Example:
        >>> nanvl(col("a"), col("b"))
        Expr(nanvl(a, b))
    """
    return scalar_call("nanvl", arguments(x, y))


def pi() -> Expr:
    """Returns an approximate value of pi.

    Example:
        >>> pi()
        Expr(pi())
    """
    return scalar_call("pi", arguments())


def power(base: IntoExpr, exponent: IntoExpr) -> Expr:
    """Returns a base expression raised to the power of an exponent.

    Example:
        >>> power(col("a"), col("b"))
        Expr(power(a, b))
    """
    return scalar_call("power", arguments(base, exponent))


def radians(arg: IntoExpr) -> Expr:
    """Converts degrees to radians.

    Example:
        >>> radians(col("a"))
        Expr(radians(a))
    """
    return scalar_call("radians", arguments(arg))


def random() -> Expr:
    """Returns a random float value in the range [0, 1). The random seed is unique to each row.

    Example:
        >>> random()
        Expr(random())
    """
    return scalar_call("random", arguments())


def round(value: IntoExpr, decimal_places: IntoExpr = None) -> Expr:
    """Rounds a number to the nearest integer.

    Example:
        >>> round(col("a"))
        Expr(round(a))
    """
    return scalar_call("round", arguments(value, optional=((decimal_places, None),)))


def signum(arg: IntoExpr) -> Expr:
    """Returns the sign of a number. Negative numbers return `-1`.

    Example:
        >>> signum(col("a"))
        Expr(signum(a))
    """
    return scalar_call("signum", arguments(arg))


def sin(arg: IntoExpr) -> Expr:
    """Returns the sine of a number.

    Example:
        >>> sin(col("a"))
        Expr(sin(a))
    """
    return scalar_call("sin", arguments(arg))


def sinh(arg: IntoExpr) -> Expr:
    """Returns the hyperbolic sine of a number.

    Example:
        >>> sinh(col("a"))
        Expr(sinh(a))
    """
    return scalar_call("sinh", arguments(arg))


def sqrt(arg: IntoExpr) -> Expr:
    """Returns the square root of a number.

    Example:
        >>> sqrt(col("a"))
        Expr(sqrt(a))
    """
    return scalar_call("sqrt", arguments(arg))


def tan(arg: IntoExpr) -> Expr:
    """Returns the tangent of a number.

    Example:
        >>> tan(col("a"))
        Expr(tan(a))
    """
    return scalar_call("tan", arguments(arg))


def tanh(arg: IntoExpr) -> Expr:
    """Returns the hyperbolic tangent of a number.

    Example:
        >>> tanh(col("a"))
        Expr(tanh(a))
    """
    return scalar_call("tanh", arguments(arg))


def trunc(num: IntoExpr, precision: IntoExpr = None) -> Expr:
    """Truncates a number to a whole number or truncated to the specified decimal places.

    Example:
        >>> trunc(col("a"))
        Expr(trunc(a))
    """
    return scalar_call("trunc", arguments(num, optional=((precision, None),)))


pow = power
rand = random
