"""The vectors: read from their files, checked, and what each needs of a client."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from google.protobuf import text_format

from springald.conformance.v1 import vector_pb2 as pb

FOLDER: Final = Path(__file__).parent / "vectors"
DATA: Final = Path(__file__).parent / "data"
_PLACE: Final = re.compile(r"(?<![\w/])(data|scratch)/(?=\w)")
_NAME: Final = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+)+")

_OF_STATEMENT: Final = {
    "plan": pb.FEATURE_PLAN,
    "plan_bytes": pb.FEATURE_PLAN,
    "substrait": pb.FEATURE_SUBSTRAIT,
    "sql": pb.FEATURE_SQL,
}
_OF_CALL: Final = {
    "upload": pb.FEATURE_UPLOAD,
    "register_files": pb.FEATURE_REGISTER_FILES,
    "describe": pb.FEATURE_DESCRIBE,
    "list_tables": pb.FEATURE_LIST_TABLES,
}


@dataclass(frozen=True)
class Vector:
    """A vector and the features that a client needs for it."""

    message: pb.Vector
    needs: frozenset[int]

    @property
    def name(self) -> str:
        """Its name."""
        return self.message.name


@cache
def all_vectors() -> tuple[Vector, ...]:
    """Reads all vectors, in the order of files and of each file.

    Raises:
        ValueError: A file does not parse, or a vector is not as its schema's comments say.
    """
    vectors = [vector for path in sorted(FOLDER.glob("*.textproto")) for vector in _read(path)]
    names = [vector.name for vector in vectors]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"names of vectors are unique: got {twice} twice")
    return tuple(vectors)


def _read(path: Path) -> Iterator[Vector]:
    try:
        content = text_format.Parse(path.read_text(), pb.VectorFile())
    except text_format.ParseError as error:
        raise ValueError(f"a file of vectors parses: {path.name}: {error}") from error
    if not content.about or not content.vectors:
        raise ValueError(f"a file says what it is about and has vectors: got {path.name}")
    for message in content.vectors:
        if not _NAME.fullmatch(message.name) or not message.name.startswith(f"{path.stem}/"):
            raise ValueError(f"a vector of {path.name} is {path.stem}/words: got {message.name!r}")
        if not message.rule or not message.steps:
            raise ValueError(f"a vector has a rule and steps: got {message.name} without")
        yield Vector(message, frozenset(needs_of(message)))


def needs_of(vector: pb.Vector) -> Iterator[int]:
    """Tells the features that a client needs for a vector: those it names and those it shows."""
    yield from vector.needs
    for step in vector.steps:
        call = step.WhichOneof("call")
        if call is None:
            raise ValueError(f"a step calls something: got none in {vector.name}")
        if call in _OF_CALL:
            yield _OF_CALL[call]
        if step.open_session.settings:
            yield pb.FEATURE_SETTINGS
        if call in {"execute", "describe"}:
            yield from _needs_of_statement(getattr(step, call).statement)
        if step.execute.cancel:
            yield pb.FEATURE_CANCEL
        if step.execute.access == pb.ACCESS_ROWS:
            yield pb.FEATURE_TYPED_ROWS


def _needs_of_statement(statement: pb.Statement) -> Iterator[int]:
    kind = statement.WhichOneof("kind")
    yield _OF_STATEMENT[kind or "plan"]
    if statement.sql.positional_parameters or statement.sql.named_parameters:
        yield pb.FEATURE_SQL_PARAMETERS


def in_places(text: str, scratch: Path) -> str:
    """Puts folders where a text says `data/`, the suite's files, and `scratch/`."""
    places = {"data": DATA, "scratch": scratch}
    return _PLACE.sub(lambda found: f"{places[found[1]]}/", text)
