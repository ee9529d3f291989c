"""The table of error codes in the documentation."""

from pathlib import Path

from springald.error.v1 import error_pb2 as pb
from springald.errors import ERROR_BY_CODE

TABLE = Path(__file__).parents[2] / "docs" / "protocol" / "errors.md"


def test_error_table_lists_every_code_as_it_is() -> None:
    """The table says of each code what the contract and the exception classes say."""
    told = [
        line
        for line in TABLE.read_text().splitlines()
        if line.startswith(("| 1", "| 2", "| 3", "| 4"))
    ]
    true = [_row(name, number) for name, number in pb.Code.items() if number]
    assert told == true


def _row(name: str, number: int) -> str:
    code = name.removeprefix("CODE_")
    kind = ERROR_BY_CODE[code]
    again = "yes" if kind.retryable else "no"
    said = (kind.__doc__ or "").strip()
    return f"| {number} | `{code}` | `{kind.__name__}` | {kind.fault} | {again} | {said} |"
