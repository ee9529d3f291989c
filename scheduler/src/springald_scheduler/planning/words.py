"""A statement's words, its kind, and where in it a name stands.

The engine parses. This only decides, by the first words, which part of Springald a statement is
for.
"""

import itertools
from enum import Enum
from functools import lru_cache
from typing import Final

from springald.errors import Position
from springald.sql_text import Kind, Token, tokens
from springald_scheduler.limits import WORDS_KEPT_CHARACTERS_MAX


class StatementKind(Enum):
    """Which part of Springald a statement is for."""

    QUERY = "query"
    EXPLAIN = "explain"
    SHOW = "show"
    SET = "set"
    RESET = "reset"
    CREATE_EXTERNAL_TABLE = "create external table"
    CREATE_VIEW = "create view"
    COPY = "copy"
    INSERT = "insert"
    DROP = "drop"
    OTHER = "other"


_BY_FIRST_WORD: Final = {
    "SELECT": StatementKind.QUERY,
    "WITH": StatementKind.QUERY,
    "VALUES": StatementKind.QUERY,
    "FROM": StatementKind.QUERY,
    "TABLE": StatementKind.QUERY,
    "EXPLAIN": StatementKind.EXPLAIN,
    "SHOW": StatementKind.SHOW,
    "DESCRIBE": StatementKind.SHOW,
    "DESC": StatementKind.SHOW,
    "SET": StatementKind.SET,
    "RESET": StatementKind.RESET,
    "COPY": StatementKind.COPY,
    "INSERT": StatementKind.INSERT,
    "REPLACE": StatementKind.INSERT,
    "DROP": StatementKind.DROP,
}


def words(sql: str) -> list[Token]:
    """Returns a statement's tokens without spaces, comments and the semicolons round it."""
    return list(_words_again(sql)) if len(sql) <= WORDS_KEPT_CHARACTERS_MAX else _words(sql)


@lru_cache(maxsize=1)
def _words_again(sql: str) -> tuple[Token, ...]:
    """Keeps what a statement was cut into: several ask for it one after the other."""
    return tuple(_words(sql))


def _words(sql: str) -> list[Token]:
    found = [token for token in tokens(sql) if token.means_something]
    while found and found[-1].text == ";":
        found.pop()
    return list(itertools.dropwhile(lambda token: token.text == ";", found))


def keyword(token: Token) -> str:
    """Returns a word in upper case; an empty string for anything but a word."""
    return token.text.upper() if token.kind is Kind.WORD else ""


def keywords(found: list[Token]) -> list[str]:
    """Returns the tokens as words in upper case."""
    return [keyword(token) for token in found]


def value(token: Token) -> str:
    """Returns a token without its quotes."""
    if token.kind in {Kind.STRING, Kind.NAME} and token.text[0] in "'\"`":
        quote = token.text[0]
        inner = token.text[1:-1] if token.closed else token.text[1:]
        return inner.replace(quote * 2, quote)
    return token.text


def take_name(found: list[Token]) -> tuple[str, list[Token]]:
    """Returns the last part of a name, which may be qualified, as the session resolves it.

    Args:
        found: Tokens that begin with the name.

    Returns:
        The part, empty if there is no name, and the tokens behind the name.
    """
    name, rest = "", found
    while rest and rest[0].kind in {Kind.WORD, Kind.NAME}:
        name = value(rest[0]) if rest[0].kind is Kind.NAME else value(rest[0]).lower()
        rest = rest[1:]
        if not rest or rest[0].text != ".":
            break
        rest = rest[1:]
    return name, rest


def statement_kind(sql: str) -> StatementKind:
    """Returns what kind of statement a text is; parentheses before a query do not count."""
    found = words(sql)
    while found and found[0].text == "(":
        found = found[1:]
    first, *rest = keywords(found[:4]) or [""]
    if first != "CREATE":
        return _BY_FIRST_WORD.get(first, StatementKind.OTHER)
    if rest[:2] == ["OR", "REPLACE"]:
        rest = rest[2:]
    if rest[:1] == ["EXTERNAL"]:
        return StatementKind.CREATE_EXTERNAL_TABLE
    return StatementKind.CREATE_VIEW if rest[:1] == ["VIEW"] else StatementKind.OTHER


def nesting(sql: str) -> int:
    """Returns how deep the parentheses, brackets, CASEs and NOTs of a statement are nested.

    Example:
        >>> nesting("SELECT ((1)), NOT NOT CASE WHEN a THEN [1] END")
        4
    """
    depth = deepest = nots = 0
    for token in words(sql):
        word = keyword(token)
        nots = nots + 1 if word == "NOT" else 0
        if token.text in {"(", "["} or word == "CASE":
            depth += 1
        elif token.text in {")", "]"} or word == "END":
            depth -= 1
        deepest = max(deepest, depth + nots)
    return deepest


def position_at(sql: str, offset: int) -> Position:
    """Returns line and column of a place that is given in characters from 0."""
    before = sql[:offset]
    return Position(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def position_of_name(sql: str, name: str) -> Position | None:
    """Returns where a name stands, if it stands in the text exactly once."""
    last = name.rsplit(".", maxsplit=1)[-1].strip('"').lower()
    found = [
        token.start
        for token in words(sql)
        if token.kind in {Kind.WORD, Kind.NAME} and value(token).lower() == last
    ]
    return position_at(sql, found[0]) if len(found) == 1 else None
