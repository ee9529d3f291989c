"""Families of Arrow's types."""

import pyarrow as pa

__all__ = ["is_binary", "is_number"]


def is_number(kind: pa.DataType) -> bool:
    """True for integers, floats and decimals of any width.

    Example:
        >>> is_number(pa.decimal128(5, 2)), is_number(pa.bool_())
        (True, False)
    """
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def is_binary(kind: pa.DataType) -> bool:
    """True for bytes of any layout.

    Example:
        >>> is_binary(pa.binary_view()), is_binary(pa.string())
        (True, False)
    """
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )
