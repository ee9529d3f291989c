"""What can be told of a statement from its words alone: its kind, and where in it a word stands.

This is not a parser: the engine parses. It only decides which part of Springald a statement is
for, and it decides by the first words, with comments and quoting respected.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from springald.errors import Position

_TOKEN: Final = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*)
    | (?P<string>'(?:[^']|'')*'?)
    | (?P<dollar>\$(\w*)\$.*?(?:\$\3\$|\Z))
    | (?P<quoted>"(?:[^"]|"")*"?|`[^`]*`?)
    | (?P<word>[^\W\d]\w*)
    | (?P<number>\d[\w.]*)
    | (?P<symbol>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a quoted name, a string, a number or a symbol of a statement.

    Attributes:
        kind: `word`, `quoted`, `string`, `dollar`, `number` or `symbol`.
        text: The token as it stands.
        offset: Where it starts, in characters from 0.
    """

    kind: str
    text: str
    offset: int

    @property
    def keyword(self) -> str:
        """The word in upper case; an empty string for anything but a word."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def value(self) -> str:
        """The text without its quotes."""
        if self.kind in {"string", "quoted"} and self.text[0] in "'\"`":
            quote = self.text[0]
            inner = self.text[1:-1] if self.text.endswith(quote) and len(self.text) > 1 else ""
            return inner.replace(quote * 2, quote)
        return self.text


class StatementKind(Enum):
    """Which part of Springald a statement is for."""

    QUERY = "query"
    EXPLAIN = "explain"
    SHOW = "show"
    SET = "set"
    RESET = "reset"
    CREATE_EXTERNAL_TABLE = "create external table"
    CREATE_VIEW = "create view"
    DROP = "drop"
    OTHER = "other"

    @property
    def takes_effect_at_once(self) -> bool:
        """True for a statement that changes the session, false for one that returns rows."""
        return self not in {StatementKind.QUERY, StatementKind.EXPLAIN, StatementKind.SHOW}


_QUERY_WORDS: Final = frozenset({"SELECT", "WITH", "VALUES", "FROM", "TABLE"})


def tokens(text: str) -> Iterator[Token]:
    """Yields a text's tokens without spaces and comments."""
    offset = 0
    while offset < len(text):
        if text.startswith("/*", offset):
            offset = _comment_end(text, offset)
            continue
        match = _TOKEN.match(text, offset)
        if match is None:  # pragma: no cover - the last alternative takes any character
            return
        if match.lastgroup != "space":
            kind = next(name for name, found in match.groupdict().items() if found is not None)
            yield Token(kind, match.group(), offset)
        offset = match.end()


def _comment_end(text: str, start: int) -> int:
    """Returns where a comment ends; comments nest."""
    depth, offset = 1, start + 2
    while depth and offset < len(text):
        if text.startswith("/*", offset):
            depth, offset = depth + 1, offset + 2
        elif text.startswith("*/", offset):
            depth, offset = depth - 1, offset + 2
        else:
            offset += 1
    return offset


def statement_kind(text: str) -> StatementKind:
    """Returns what kind of statement a text is, by its first words."""
    words: list[str] = []
    for token in tokens(text):
        if not words and token.text == "(":
            continue
        words.append(token.keyword)
        if len(words) == 4:
            break
    first = words[0] if words else ""
    if first in _QUERY_WORDS:
        return StatementKind.QUERY
    if first == "CREATE":
        return _created(words[1:])
    simple = {
        "EXPLAIN": StatementKind.EXPLAIN,
        "SHOW": StatementKind.SHOW,
        "DESCRIBE": StatementKind.SHOW,
        "DESC": StatementKind.SHOW,
        "SET": StatementKind.SET,
        "RESET": StatementKind.RESET,
        "DROP": StatementKind.DROP,
    }
    return simple.get(first, StatementKind.OTHER)


def _created(words: list[str]) -> StatementKind:
    if words[:2] == ["OR", "REPLACE"]:
        words = words[2:]
    if words[:1] == ["EXTERNAL"]:
        return StatementKind.CREATE_EXTERNAL_TABLE
    if words[:1] == ["VIEW"]:
        return StatementKind.CREATE_VIEW
    return StatementKind.OTHER


def position_at(text: str, offset: int) -> Position:
    """Returns line and column of a place that is given in characters from 0."""
    before = text[:offset]
    return Position(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def position_of_name(text: str, name: str) -> Position | None:
    """Returns where a name stands, if it stands in the text exactly once."""
    last = name.rsplit(".", maxsplit=1)[-1].strip('"').lower()
    found = [
        token.offset
        for token in tokens(text)
        if token.kind in {"word", "quoted"} and token.value.lower() == last
    ]
    return position_at(text, found[0]) if len(found) == 1 else None


def caret(text: str, position: Position) -> str:
    """Returns the line of a position with a caret under the column, for people."""
    lines = text.splitlines() or [""]
    if not 1 <= position.line <= len(lines):
        return ""
    line = lines[position.line - 1].replace("\t", " ")
    return f"{line}\n{' ' * (position.column - 1)}^"
