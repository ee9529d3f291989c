"""How rows and lists can be written; nothing here loads a library to do it."""

import sys
from enum import Enum
from pathlib import Path
from typing import Final

from springald.errors import InvalidArgumentError

__all__ = ["Format", "JobsFormat", "ProfileFormat", "format_of"]


class Format(Enum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    ARROW = "arrow"
    PARQUET = "parquet"

    @property
    def is_binary(self) -> bool:
        """True if a terminal cannot show it."""
        return self in (Format.ARROW, Format.PARQUET)


class JobsFormat(Enum):
    """How jobs are listed."""

    TABLE = "table"
    JSON = "json"


class ProfileFormat(Enum):
    """How a job's profile is told."""

    TEXT = "text"
    TABLE = "table"
    JSON = "json"


_FORMAT_BY_SUFFIX: Final = {
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".jsonl": Format.JSON,
    ".ndjson": Format.JSON,
    ".arrow": Format.ARROW,
    ".feather": Format.ARROW,
    ".ipc": Format.ARROW,
    ".parquet": Format.PARQUET,
}


def format_of(chosen: Format | None, output: Path | None) -> Format:
    """Returns the format that was chosen, or that the output's ending tells, or a table.

    Example:
        >>> format_of(None, Path("rows.csv")), format_of(None, None)
        (<Format.CSV: 'csv'>, <Format.TABLE: 'table'>)

    Raises:
        InvalidArgumentError: The output's ending tells nothing, or bytes would go to a terminal.
    """
    if chosen is None and output is not None:
        known = _FORMAT_BY_SUFFIX.get(output.suffix.lower())
        if known is None:
            raise InvalidArgumentError(
                f"a format is chosen by --format or by the ending of the output: got {output}; "
                f"known endings are {', '.join(_FORMAT_BY_SUFFIX)}"
            )
        return known
    chosen = chosen or Format.TABLE
    if chosen.is_binary and output is None and sys.stdout.isatty():
        raise InvalidArgumentError(
            f"{chosen.value} is not for a terminal: give -o FILE, or redirect the output"
        )
    return chosen
