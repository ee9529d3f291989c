"""What is wrong with single fields."""

from collections.abc import Iterable, Iterator
from typing import Any


def missing(field: str) -> str:
    """Says that a required field is not there."""
    return f"{field} must be given: got none"


def number_of(count: int, one: str) -> str:
    """Says how many there are of something.

    Example:
        >>> number_of(1, "input"), number_of(2, "input")
        ('1 input', '2 inputs')
    """
    return f"{count} {one}" if count == 1 else f"{count} {one}s"


def between(fewest: int, most: int | None, one: str) -> str:
    """Says how many there may be of something, from the fewest to the most."""
    if most is None:
        return f"at least {number_of(fewest, one)}"
    return number_of(most, one) if fewest == most else f"{fewest} to {number_of(most, one)}"


def enum_problem(
    enum: Any,  # noqa: ANN401 - protobuf has no public type for enums
    number: int,
    field: str,
    *,
    required: bool = True,
) -> Iterator[str]:
    """Says that a number is no value of an enum, or none was given where one must be."""
    known = enum.DESCRIPTOR.values_by_number
    if number not in known:
        yield f"{field} is a {enum.DESCRIPTOR.name} that this version knows: got number {number}"
    elif required and number == 0:
        yield missing(field)


def twice(field: str, names: Iterable[str]) -> Iterator[str]:
    """Says that names that must differ do not."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"{field} differ: got {name[:100]!r} twice"
            return
        seen.add(name)
