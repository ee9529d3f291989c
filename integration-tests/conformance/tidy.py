"""Writes files of vectors in one layout, and fills in rows that an author leaves to the engine.

    PYTHONPATH=integration-tests python -m conformance.tidy          # every file, in its layout
    PYTHONPATH=integration-tests python -m conformance.tidy --fill   # and `rows {}` with the rows

`rows {}` without columns asks for what the engine in one process has for the same text. What
comes is read by a person before it is committed: from then on it is what the protocol says.
"""

import re
import sys
from collections.abc import Iterator
from typing import Final

from google.protobuf import text_format
from google.protobuf.message import Message

from conformance.process import OneProcess
from conformance.rows import rows_from_table
from conformance.vectors import FOLDER
from springald.conformance.v1 import vector_pb2 as pb

WIDTH_MAX: Final = 100
# Strings stand in double quotes, where a single one needs no backslash.
_QUOTED: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\'")
_HEADER: Final = (
    "# proto-file: springald/conformance/v1/vector.proto\n# proto-message: VectorFile\n\n"
)


def tidied(content: pb.VectorFile) -> str:
    """Writes a file of vectors: what fits on a line is on one, and vectors stand apart."""
    about = pb.VectorFile(about=content.about)
    vectors = ["\n".join(_lines(pb.VectorFile(vectors=[vector]), 0)) for vector in content.vectors]
    return _HEADER + "\n\n".join(["\n".join(_lines(about, 0)), *vectors]) + "\n"


def fill(content: pb.VectorFile) -> None:
    """Puts rows where a step leaves them to the engine."""
    for vector in content.vectors:
        with OneProcess(FOLDER) as oracle:
            for step in vector.steps:
                oracle.follow(step)
                if step.HasField("rows") and not step.rows.ListFields():
                    asked = pb.Step(session=step.session)
                    asked.rows_of_sql = step.execute.statement.sql.text
                    ordered = "order by" in asked.rows_of_sql.lower()
                    step.rows.CopyFrom(rows_from_table(oracle.rows(asked), ordered=ordered))


def _lines(message: Message, indent: int) -> Iterator[str]:
    margin = " " * indent
    for field, value in message.ListFields():
        for each in value if field.is_repeated else [value]:
            if field.message_type is None:
                single = type(message)()
                if field.is_repeated:
                    getattr(single, field.name).append(each)
                else:
                    setattr(single, field.name, each)
                yield margin + _one_line(single)
                continue
            inside = _one_line(each)
            whole = (
                f"{margin}{field.name} {{ {inside} }}" if inside else f"{margin}{field.name} {{}}"
            )
            if len(whole) <= WIDTH_MAX and field.name != "vectors":
                yield whole
            else:
                yield f"{margin}{field.name} {{"
                yield from _lines(each, indent + 2)
                yield f"{margin}}}"


def _one_line(message: Message) -> str:
    text = text_format.MessageToString(message, as_one_line=True, as_utf8=True).strip()
    return _QUOTED.sub(r"\1'", text)


def main(arguments: list[str]) -> None:
    """Goes through all files."""
    for path in sorted(FOLDER.glob("*.textproto")):
        content = text_format.Parse(path.read_text(), pb.VectorFile())
        if "--fill" in arguments:
            fill(content)
        path.write_text(tidied(content))


if __name__ == "__main__":
    main(sys.argv[1:])
