"""Figures as people read them."""

from typing import Final

__all__ = ["bytes_text"]

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_UNIT: Final = 1024


def bytes_text(count: int) -> str:
    """Returns a number of bytes as people read it.

    Example:
        >>> bytes_text(512), bytes_text(3 * 1024 * 1024)
        ('512 B', '3.0 MiB')
    """
    amount, unit = float(count), 0
    while amount >= _UNIT and unit < len(_UNITS) - 1:
        amount, unit = amount / _UNIT, unit + 1
    return f"{count} B" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"
