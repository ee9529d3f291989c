"""The statements that write, divided into the query and the rest."""

import re
from dataclasses import dataclass
from typing import Final

from springald.errors import SqlSyntaxError
from springald.sql_text import Kind, Token
from springald_scheduler.planning.statements import format_options
from springald_scheduler.planning.words import keyword, position_at, take_name, value, words

ROWS: Final = '"…"'
"""The table that stands for the query's rows; no table of a session is called like this."""

_FROM: Final = "FROM "
"""As long as the word before the source of a COPY, so that errors point at the same place."""

_QUERY_WORDS: Final = frozenset({"SELECT", "WITH", "VALUES", "FROM", "TABLE", "("})


@dataclass(frozen=True, slots=True)
class WriteStatement:
    """A statement that writes.

    Attributes:
        query: The query whose rows are written; what is before it is blank, so that errors point
            at their place in the whole text.
        template: The statement over the table `ROWS` instead.
        table: The table that gets the rows; empty for files.
        location: The files; empty for a table.
        options: Options of the files, by name as written.
    """

    query: str
    template: str
    table: str = ""
    location: str = ""
    options: tuple[tuple[str, str], ...] = ()


def parse_copy(sql: str) -> WriteStatement:
    """Reads `COPY table TO ...` and `COPY (query) TO ...`.

    Raises:
        SqlSyntaxError: It reads otherwise.
    """
    found = words(sql)[1:]
    source, rest = _up_to("TO", found)
    if not source or rest[1:2] == [] or rest[1].kind is not Kind.STRING:
        message = "COPY (query) TO '...' and COPY table TO '...' are written like this: got another"
        raise SqlSyntaxError(message, position=position_at(sql, len(sql.rstrip())))
    start, end = source[0].start, source[-1].end
    if source[0].text == "(":
        query = _blank(sql[: source[0].end]) + sql[source[0].end : source[-1].start]
    else:
        query = f"{_blank(sql[: start - len(_FROM)])}{_FROM}{sql[start:end]} SELECT *"
    padded = _blank(sql[start:end])[: -len(ROWS)] + ROWS
    template = f"{sql[:start]}{padded}{sql[end:]}"
    return WriteStatement(
        query, template, location=value(rest[1]), options=format_options(rest[2:])
    )


def parse_insert(sql: str) -> WriteStatement:
    """Reads `INSERT INTO table [(columns)] query`, and the likes of it.

    Raises:
        SqlSyntaxError: There is no table or no query.
    """
    found = words(sql)[1:]
    while found and keyword(found[0]) in {"INTO", "OVERWRITE", "TABLE"}:
        found = found[1:]
    name, rest = take_name(found)
    if name and rest and rest[0].text == "(" and not _begins_query(rest[1:3]):
        _, rest = _up_to(")", rest)
        rest = rest[1:]
    if not name or not _begins_query(rest):
        message = "INSERT INTO table [(columns)] is followed by a query: got another form"
        raise SqlSyntaxError(message, position=position_at(sql, len(sql.rstrip())))
    start = rest[0].start
    query = _blank(sql[:start]) + sql[start:]
    template = f"{sql[:start]}SELECT * FROM {ROWS}"  # noqa: S608 - a text to be planned
    return WriteStatement(query, template, table=name)


def _begins_query(found: list[Token]) -> bool:
    """True for the first words of a query; a name in a list of columns may be one of them."""
    is_listed = [token.text for token in found[1:2]] in ([","], [")"])
    return bool(found) and not is_listed and (keyword(found[0]) or found[0].text) in _QUERY_WORDS


def _up_to(end: str, found: list[Token]) -> tuple[list[Token], list[Token]]:
    """Divides tokens at the first word or sign outside of all parentheses."""
    depth = 0
    for number, token in enumerate(found):
        depth -= token.text == ")"
        if depth == 0 and (keyword(token) or token.text) == end:
            return found[:number], found[number:]
        depth += token.text == "("
    return found, []


def _blank(text: str) -> str:
    return re.sub(r"\S", " ", text)
