"""The columns of a DataFrame: an attribute here, a method in datafusion-python."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

__all__ = ["FrameSchema"]


class FrameSchema:
    """The names and types of a DataFrame's columns.

    `frame.schema()` is the `pyarrow.Schema`, as in datafusion-python. What a schema has can be
    asked for without the call, too: `frame.schema.names`, `frame.schema.field("a")`.

    Example:
        >>> import pyarrow as pa
        >>> schema = FrameSchema(pa.schema([("a", pa.int64())]))
        >>> schema().field("a").type == schema.field("a").type, schema.names, len(schema)
        (True, ['a'], 1)
    """

    __slots__ = ("_schema",)
    # It is equal to a pyarrow.Schema that is, so it has no hash of its own either.
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, schema: pa.Schema) -> None:
        """Wraps a schema."""
        self._schema = schema

    def __call__(self) -> pa.Schema:
        """Returns the schema itself."""
        return self._schema

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever pyarrow has
        return getattr(self._schema, name)

    def __getitem__(self, key: int | str) -> pa.Field:
        return self._schema.field(key)

    def __len__(self) -> int:
        return len(self._schema)

    def __iter__(self) -> Iterator[pa.Field]:
        return iter(self._schema)

    def __eq__(self, other: object) -> bool:
        theirs = other._schema if isinstance(other, FrameSchema) else other
        return bool(self._schema == theirs)

    def __arrow_c_schema__(self) -> object:
        """Hands the schema to another library, by the Arrow C interface."""
        return self._schema.__arrow_c_schema__()

    def __repr__(self) -> str:
        return str(self._schema)
