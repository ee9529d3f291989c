"""Windows: which rows a window function sees."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

import pyarrow as pa

from springald.errors import InvalidArgumentError
from springald.plan.v1 import functions_pb2

__all__ = ["FrameUnits", "NullTreatment", "WindowFrame", "WindowFrameBound"]

FrameUnits = Literal["rows", "range", "groups"]

_UNITS: Final = {
    "rows": functions_pb2.FRAME_UNIT_ROWS,
    "range": functions_pb2.FRAME_UNIT_RANGE,
    "groups": functions_pb2.FRAME_UNIT_GROUPS,
}


class NullTreatment(Enum):
    """Whether a function sees rows whose argument is null.

    Example:
        >>> from springald import col, functions as f
        >>> f.first_value(col("a"), null_treatment=NullTreatment.IGNORE_NULLS)
        Expr(first_value(a) IGNORE NULLS)
    """

    RESPECT_NULLS = functions_pb2.NULL_TREATMENT_RESPECT
    IGNORE_NULLS = functions_pb2.NULL_TREATMENT_IGNORE


@dataclass(frozen=True, slots=True)
class WindowFrameBound:
    """One end of a frame.

    Attributes:
        kind: How it is found.
        offset: How far from the row; None if it is at the row or at an end of the partition.
    """

    kind: functions_pb2.FrameBoundKind.ValueType
    offset: pa.Scalar | None = None

    def is_unbounded(self) -> bool:
        """True at an end of the partition."""
        return self.kind in (
            functions_pb2.FRAME_BOUND_KIND_UNBOUNDED_PRECEDING,
            functions_pb2.FRAME_BOUND_KIND_UNBOUNDED_FOLLOWING,
        )

    def is_current_row(self) -> bool:
        """True at the row itself."""
        return self.kind == functions_pb2.FRAME_BOUND_KIND_CURRENT_ROW

    def get_offset(self) -> int | None:
        """The distance in rows or groups."""
        return None if self.offset is None else int(self.offset.as_py())

    def __str__(self) -> str:
        """Returns what SQL writes."""
        name = functions_pb2.FrameBoundKind.Name(self.kind).removeprefix("FRAME_BOUND_KIND_")
        words = name.replace("_", " ")
        return words if self.offset is None else f"{self.offset.as_py()} {words}"


class WindowFrame:
    """A run of rows round the row.

    Example:
        >>> WindowFrame("rows", 2, 0)
        WindowFrame(ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
        >>> WindowFrame("range", None, 0)
        WindowFrame(RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)

    Args:
        units: What distances count: `rows`, the `range` of the sort key's values, or `groups` of
            rows that are equal in the sort keys.
        start_bound: How far before the row the frame begins; None means at the first row of the
            partition, 0 at the row.
        end_bound: How far behind the row it ends; None means at the last row of the partition.

    Raises:
        InvalidArgumentError: The unit is another one, or a distance is negative.
    """

    def __init__(self, units: str, start_bound: object, end_bound: object) -> None:
        if units.lower() not in _UNITS:
            raise InvalidArgumentError(
                f"the unit of a window frame is rows, range or groups: got {units!r}"
            )
        self.units = units.lower()
        self.start = _bound(start_bound, before=True)
        self.end = _bound(end_bound, before=False)

    def get_frame_units(self) -> str:
        """What distances count: `rows`, `range` or `groups`.

        Example:
            >>> WindowFrame("rows", None, 0).get_frame_units()
            'rows'
        """
        return self.units

    def get_lower_bound(self) -> WindowFrameBound:
        """Where the frame begins.

        Example:
            >>> WindowFrame("rows", None, 0).get_lower_bound().is_unbounded()
            True
        """
        return self.start

    def get_upper_bound(self) -> WindowFrameBound:
        """Where the frame ends.

        Example:
            >>> WindowFrame("rows", None, 0).get_upper_bound().is_current_row()
            True
        """
        return self.end

    def to_proto(self) -> functions_pb2.WindowFrame:
        """Returns the message, without the ids of distances."""
        return functions_pb2.WindowFrame(
            unit=_UNITS[self.units],
            start=functions_pb2.FrameBound(kind=self.start.kind),
            end=functions_pb2.FrameBound(kind=self.end.kind),
        )

    def offsets(self) -> Sequence[tuple[str, pa.Scalar]]:
        """The distances, with the name of the end to which each belongs."""
        ends = (("start", self.start), ("end", self.end))
        return [(name, bound.offset) for name, bound in ends if bound.offset is not None]

    def __repr__(self) -> str:
        return f"WindowFrame({self.units.upper()} BETWEEN {self.start} AND {self.end})"


def _bound(distance: object, *, before: bool) -> WindowFrameBound:
    if distance is None:
        return WindowFrameBound(
            functions_pb2.FRAME_BOUND_KIND_UNBOUNDED_PRECEDING
            if before
            else functions_pb2.FRAME_BOUND_KIND_UNBOUNDED_FOLLOWING
        )
    scalar = distance if isinstance(distance, pa.Scalar) else pa.scalar(distance)
    value = scalar.as_py()
    if isinstance(value, int | float) and value < 0:
        raise InvalidArgumentError(
            f"the distance of a window frame is at least 0: got {value}; None means no bound"
        )
    if value == 0:
        return WindowFrameBound(functions_pb2.FRAME_BOUND_KIND_CURRENT_ROW)
    return WindowFrameBound(
        functions_pb2.FRAME_BOUND_KIND_PRECEDING
        if before
        else functions_pb2.FRAME_BOUND_KIND_FOLLOWING,
        scalar,
    )
