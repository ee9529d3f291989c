"""Functions of values of any type, and of structs and unions."""

# Written by tools/generate_functions.py, which `nox -s functions` runs: do not edit.

from springald.expr.calls import arguments, scalar_call
from springald.expr.expr import Expr, IntoExpr

__all__ = [
    "arrow_field",
    "arrow_metadata",
    "arrow_typeof",
    "cast_to_type",
    "coalesce",
    "file_row_index",
    "get_field",
    "greatest",
    "ifnull",
    "input_file_name",
    "least",
    "nullif",
    "nvl",
    "nvl2",
    "row",
    "struct",
    "try_cast_to_type",
    "union_extract",
    "union_tag",
    "version",
]


def arrow_field(expr: IntoExpr) -> Expr:
    """Returns a struct containing the Arrow field information of the expression, including name,
    data type, nullability, and metadata.

    Example:
        >>> arrow_field(col("a"))
        Expr(arrow_field(a))
    """
    return scalar_call("arrow_field", arguments(expr))


def arrow_metadata(expr: IntoExpr, key: IntoExpr = None) -> Expr:
    """Returns the metadata of the input expression. If a key is provided, returns the value for
    that key.

    Example:
        >>> arrow_metadata(col("a"))
        Expr(arrow_metadata(a))
    """
    return scalar_call("arrow_metadata", arguments(expr, optional=((key, None),)))


def arrow_typeof(arg: IntoExpr) -> Expr:
    """Returns the name of the value's Arrow type.

    Example:
        >>> arrow_typeof(col("a"))
        Expr(arrow_typeof(a))
    """
    return scalar_call("arrow_typeof", arguments(arg))


def cast_to_type(value: IntoExpr, type_ref: IntoExpr) -> Expr:
    """Casts the first argument to the data type of the second argument. Only the type of the
    second argument is used; its value is ignored.

    Example:
        >>> cast_to_type(col("a"), col("b"))
        Expr(cast_to_type(a, b))
    """
    return scalar_call("cast_to_type", arguments(value, type_ref))


def coalesce(*args: IntoExpr) -> Expr:
    """Returns the first of its arguments that is not NULL. Returns NULL if all arguments are NULL.

    Example:
        >>> coalesce(col("a"))
        Expr(coalesce(a))
    """
    return scalar_call("coalesce", arguments(*args))


def file_row_index() -> Expr:
    """Returns the place of a row in its file, from 0.

    Example:
        >>> file_row_index()
        Expr(file_row_index())
    """
    return scalar_call("file_row_index", arguments())


def get_field(expr: IntoExpr, *names: IntoExpr) -> Expr:
    """Returns a field within a map or a struct with the given key. Supports nested field access by
    providing multiple field names.

    Example:
        >>> get_field(col("a"), col("b"))
        Expr(get_field(a, b))
    """
    return scalar_call("get_field", arguments(expr, *names))


def greatest(*args: IntoExpr) -> Expr:
    """Returns the greatest value in a list of expressions. Returns NULL if all expressions are
    NULL.

    Example:
        >>> greatest(col("a"))
        Expr(greatest(a))
    """
    return scalar_call("greatest", arguments(*args))


def input_file_name() -> Expr:
    """Returns the path of the file that a row comes from.

    Example:
        >>> input_file_name()
        Expr(input_file_name())
    """
    return scalar_call("input_file_name", arguments())


def least(*args: IntoExpr) -> Expr:
    """Returns the smallest value in a list of expressions. Returns NULL if all expressions are
    NULL.

    Example:
        >>> least(col("a"))
        Expr(least(a))
    """
    return scalar_call("least", arguments(*args))


def nullif(expr1: IntoExpr, expr2: IntoExpr) -> Expr:
    """Returns NULL if expression1 equals expression2; otherwise it returns expression1. This can
    be used to perform the inverse operation of `coalesce`.

    Example:
        >>> nullif(col("a"), col("b"))
        Expr(nullif(a, b))
    """
    return scalar_call("nullif", arguments(expr1, expr2))


def nvl(x: IntoExpr, y: IntoExpr) -> Expr:
    """Returns expression2 if expression1 is NULL otherwise it returns expression1 and expression2
    is not evaluated. This function can be used to substitute a default value for NULL values.

    Example:
        >>> nvl(col("a"), col("b"))
        Expr(nvl(a, b))
    """
    return scalar_call("nvl", arguments(x, y))


def nvl2(x: IntoExpr, y: IntoExpr, z: IntoExpr) -> Expr:
    """Returns expression2 if expression1 is not NULL; otherwise it returns expression3.

    Example:
        >>> nvl2(col("a"), col("b"), col("c"))
        Expr(nvl2(a, b, c))
    """
    return scalar_call("nvl2", arguments(x, y, z))


def struct(*args: IntoExpr) -> Expr:
    """Returns an Arrow struct using the specified input expressions optionally named. Fields in
    the returned struct use the optional name or the `cN` naming convention.

    Example:
        >>> struct(col("a"))
        Expr(struct(a))
    """
    return scalar_call("struct", arguments(*args))


def try_cast_to_type(value: IntoExpr, type_ref: IntoExpr) -> Expr:
    """Casts the first argument to the data type of the second argument, returning NULL if the cast
    fails. Only the type of the second argument is used; its value is ignored.

    Example:
        >>> try_cast_to_type(col("a"), col("b"))
        Expr(try_cast_to_type(a, b))
    """
    return scalar_call("try_cast_to_type", arguments(value, type_ref))


def union_extract(union_expr: IntoExpr, field_name: IntoExpr) -> Expr:
    """Returns the value of the given field in the union when selected, or NULL otherwise.

    Example:
        >>> union_extract(col("a"), col("b"))
        Expr(union_extract(a, b))
    """
    return scalar_call("union_extract", arguments(union_expr, field_name))


def union_tag(union_expr: IntoExpr) -> Expr:
    """Returns the name of the currently selected field in the union.

    Example:
        >>> union_tag(col("a"))
        Expr(union_tag(a))
    """
    return scalar_call("union_tag", arguments(union_expr))


def version() -> Expr:
    """Returns the version of DataFusion.

    Example:
        >>> version()
        Expr(version())
    """
    return scalar_call("version", arguments())


ifnull = nvl
row = struct
