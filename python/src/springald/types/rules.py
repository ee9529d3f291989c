"""Places, refusals, and the rules of the contract that pyarrow leaves open.

A type is read and written with the place where it stands: the names of the fields and kinds round
it, itself included. Errors tell the place, and its length is the depth that the contract limits.
"""

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from springald.errors import InvalidArgumentError
from springald.limits import TYPE_DEPTH_MAX

Place = tuple[str, ...]

ROOT: Final = ("type",)
"""The place of a type that no field names."""

_INT32_MAX: Final = 2**31 - 1
_TYPE_CODE_MAX: Final = 127
_SHOWN_CHARACTERS_MAX: Final = 40
_SHOWN_NAMES_MAX: Final = 8

_T = TypeVar("_T")


def at(place: Place) -> str:
    """Names a place for people; only its ends, because names and depth come from outside.

    >>> at(("orders", "lines", "item"))
    'orders.lines.item'
    """
    half = _SHOWN_NAMES_MAX // 2
    names = place if len(place) <= _SHOWN_NAMES_MAX else (*place[:half], "...", *place[-half:])
    return ".".join(
        name if len(name) <= _SHOWN_CHARACTERS_MAX else f"{name[:_SHOWN_CHARACTERS_MAX]}..."
        for name in names
    )


def refusal(rule: str, got: object, place: Place, remedy: str) -> InvalidArgumentError:
    """Makes the error for a broken rule of the contract."""
    return InvalidArgumentError(f"{rule}: got {got} at {at(place)}; {remedy}")


def stored_as_its_like(what: str, place: Place) -> InvalidArgumentError:
    """Makes the error for a kind of type that Arrow allows once, but not straight inside itself."""
    remedy = "put a list or struct between them"
    return refusal(f"{what} is not stored as another", "two in a row", place, remedy)


def check_depth(place: Place) -> None:
    """Refuses a type that stands too deep."""
    if len(place) > TYPE_DEPTH_MAX:
        raise refusal(
            f"a type is at most TYPE_DEPTH_MAX = {TYPE_DEPTH_MAX} levels deep",
            f"{len(place)} or more",
            place,
            "nest it less",
        )


def known(names: Mapping[int, _T], number: int, what: str, place: Place) -> _T:
    """Looks up an enum's number, and refuses one that is not specified, or not known here."""
    if number not in names:
        raise refusal(
            f"{what} is one that this version knows",
            f"number {number}",
            place,
            "set it, or use a version that knows it",
        )
    return names[number]


def checked_width(width: int, place: Place) -> int:
    """Returns a width in bytes or a size in elements, if it is one."""
    if not 0 <= width <= _INT32_MAX:
        raise refusal(f"a width or size is 0 to {_INT32_MAX}", width, place, "choose another")
    return width


def checked_codes(codes: Iterable[int], child_count: int, place: Place) -> list[int]:
    """Returns a union's type codes, if they are one for each of its children."""
    codes = list(codes)
    in_range = all(0 <= code <= _TYPE_CODE_MAX for code in codes)
    if not (in_range and len(set(codes)) == len(codes) == child_count > 0):
        raise refusal(
            "a union has children, and for each a type code of its own from 0 to 127",
            f"{child_count} children and codes {codes[: _TYPE_CODE_MAX + 1]}",
            place,
            "give each child a code",
        )
    return codes
