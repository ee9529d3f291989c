"""What datafusion-python lets a program say about files that it writes."""

from collections.abc import Sequence
from dataclasses import dataclass

from springald.errors import UnsupportedError
from springald.expr.expr import IntoSortKey

__all__ = ["DataFrameWriteOptions"]


@dataclass(frozen=True)
class DataFrameWriteOptions:
    """How rows are written into a file.

    Example:
        >>> last_first = DataFrameWriteOptions(sort_by=[col("a").sort(ascending=False)])
        >>> df.write_json(folder / "sorted.json", last_first)
        >>> (folder / "sorted.json").read_text().splitlines()[0]
        '{"a": 3, "b": "z"}'

    Args:
        insert_operation: None: a file that is there is replaced.
        single_file_output: Rows are written into one file in any case.
        partition_by: None: rows are not dealt to folders.
        sort_by: The order in which rows are written; none means their own.

    Raises:
        UnsupportedError: It asks for more.
    """

    insert_operation: object | None = None
    single_file_output: bool = False
    partition_by: str | Sequence[str] | None = None
    sort_by: IntoSortKey | Sequence[IntoSortKey] | None = None

    def __post_init__(self) -> None:
        """Refuses what is not done."""
        if self.insert_operation is not None:
            raise UnsupportedError(
                f"a file that is there is replaced: got {self.insert_operation}; read it, and "
                "write the union of both"
            )
        if self.partition_by:
            raise UnsupportedError(
                f"rows are written into one file: got partition_by {self.partition_by!r}; filter "
                "them by each value, and write each part into its folder"
            )

    @property
    def keys(self) -> Sequence[IntoSortKey]:
        """The keys of the order."""
        if self.sort_by is None:
            return ()
        if isinstance(self.sort_by, str) or not isinstance(self.sort_by, Sequence):
            return [self.sort_by]
        return self.sort_by
