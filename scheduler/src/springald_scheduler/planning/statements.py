"""The statements that Springald itself carries out, read word by word."""

import itertools
from dataclasses import dataclass
from typing import Final

from springald.checks import no_statement
from springald.engine.catalog import FILE_FORMATS
from springald.errors import InvalidArgumentError, SqlSyntaxError, UnsupportedError
from springald.limits import STATEMENT_BYTES_MAX
from springald.sql_text import Kind, Token
from springald_scheduler.planning.words import (
    keyword,
    keywords,
    position_at,
    take_name,
    value,
    words,
)

_IF_NOT_EXISTS: Final = ["IF", "NOT", "EXISTS"]
_SHOWN: Final = "SHOW TABLES, SHOW COLUMNS FROM t, SHOW FUNCTIONS, SHOW ALL or a setting's name"
_NO_CHANGES: Final = "rows of a table stay as they are: COPY those that are wanted to new files"
_NO_PREPARING: Final = (
    "statements are not prepared: send the values beside the statement, as parameters"
)
_NO_TRANSACTIONS: Final = "there are no transactions: each statement takes effect by itself"

_INSTEAD: Final = {
    "ALTER": "drop the table and make it again",
    "BEGIN": _NO_TRANSACTIONS,
    "COMMIT": _NO_TRANSACTIONS,
    "CREATE": "use CREATE VIEW, or COPY rows to files and CREATE EXTERNAL TABLE over them",
    "DEALLOCATE": _NO_PREPARING,
    "DELETE": _NO_CHANGES,
    "EXECUTE": _NO_PREPARING,
    "EXPLAIN": "EXPLAIN takes a query, COPY or INSERT, EXPLAIN ANALYZE a query",
    "MERGE": _NO_CHANGES,
    "PREPARE": _NO_PREPARING,
    "ROLLBACK": _NO_TRANSACTIONS,
    "SHOW": f"there are {_SHOWN}",
    "START": _NO_TRANSACTIONS,
    "TRUNCATE": _NO_CHANGES,
    "UPDATE": _NO_CHANGES,
    "USE": "a session has one schema, public: leave the statement out",
}
"""What to do instead of a statement that is not offered, by its first word."""


@dataclass(frozen=True, slots=True)
class Setting:
    """`SET name = value`."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ExternalTable:
    """`CREATE EXTERNAL TABLE`: what is looked at before the engine reads a file.

    Attributes:
        name: The table.
        format: The file format that it is stored as, in lower case.
        location: Where its files lie.
        location_start: Where the location's literal begins in the text.
        location_end: Where it ends.
        if_not_exists: True if an existing table is left alone.
        options: Options of the format, by name as written.
    """

    name: str
    format: str
    location: str
    location_start: int
    location_end: int
    if_not_exists: bool
    options: tuple[tuple[str, str], ...] = ()


def check_text(sql: str) -> None:
    """Refuses a text that is empty, larger than a statement may be, or several statements.

    Raises:
        SqlSyntaxError: There is nothing in it.
        InvalidArgumentError: It is too large.
        UnsupportedError: It holds several statements.
    """
    size = len(sql.encode())
    if size > STATEMENT_BYTES_MAX:
        message = f"a statement has at most {STATEMENT_BYTES_MAX} bytes: got {size}"
        raise InvalidArgumentError(f"{message}; upload long lists as a table and join it")
    found = words(sql)
    if not found:
        raise no_statement()
    if any(token.text == ";" for token in found):
        message = "a text holds one statement, and a semicolon ends it: got more behind one"
        raise UnsupportedError(f"{message}; run the statements one by one")


def parse_set(sql: str) -> Setting:
    """Reads `SET name = value` and `SET name TO value`; `SET TIME ZONE` sets the time zone.

    Raises:
        SqlSyntaxError: It reads otherwise.
    """
    found = words(sql)[1:]
    if keywords(found[:2]) == ["TIME", "ZONE"]:
        zone = "".join(value(token) for token in found[2:] if token.text != "=")
        return Setting("datafusion.execution.time_zone", zone)
    split = next((i for i, t in enumerate(found) if t.text == "=" or keyword(t) == "TO"), 0)
    if split == 0 or split + 1 >= len(found):
        raise SqlSyntaxError("a setting is changed by SET name = value: got another form")
    name = "".join(value(token) for token in found[:split])
    return Setting(name, "".join(value(token) for token in found[split + 1 :]))


def parse_reset(sql: str) -> str:
    """Reads `RESET name`.

    Raises:
        SqlSyntaxError: There is no name.
    """
    name = "".join(value(token) for token in words(sql)[1:])
    if not name:
        raise SqlSyntaxError("a setting is brought back by RESET name: got no name")
    return name


def shown_setting(sql: str) -> str:
    """Returns what a `SHOW` or `DESCRIBE` shows, in lower case.

    Raises:
        SqlSyntaxError: A SHOW names nothing.
    """
    first, *named = words(sql)
    if not named and keyword(first) == "SHOW":
        raise SqlSyntaxError(f"SHOW names what it shows: got nothing; use {_SHOWN}")
    return "".join(value(token) for token in named).lower()


def parse_external_table(sql: str) -> ExternalTable:
    """Reads a table's name and location.

    Raises:
        SqlSyntaxError: One of them is missing.
        UnsupportedError: Its files have a format that is not offered.
    """
    found = words(sql)
    if "TABLE" not in keywords(found):
        raise SqlSyntaxError("CREATE EXTERNAL TABLE names a table: got another CREATE EXTERNAL")
    if_not_exists, rest = _after("TABLE", found)
    clauses = _outside_parentheses(rest)
    for here, following in itertools.pairwise(clauses):
        if keyword(here) == "LOCATION" and following.kind is Kind.STRING:
            return ExternalTable(
                name=_name(rest),
                format=_stored_as(clauses),
                location=value(following),
                location_start=following.start,
                location_end=following.end,
                if_not_exists=if_not_exists,
                options=format_options(rest),
            )
    message = "CREATE EXTERNAL TABLE names a LOCATION '...': got none"
    raise SqlSyntaxError(message, position=position_at(sql, len(sql.rstrip())))


@dataclass(frozen=True, slots=True)
class View:
    """`CREATE VIEW`.

    Attributes:
        name: The view.
        statement: The statement without `IF NOT EXISTS`, which the engine does not take.
        if_not_exists: True if an existing view or table is left alone.
    """

    name: str
    statement: str
    if_not_exists: bool


def parse_view(sql: str) -> View:
    """Reads `CREATE VIEW`."""
    found = words(sql)
    if_not_exists, rest = _after("VIEW", found)
    statement = sql
    if if_not_exists:
        view = found[keywords(found).index("VIEW")]
        statement = f"{sql[: view.end]} {sql[rest[0].start :] if rest else ''}"
    return View(_name(rest), statement, if_not_exists)


def dropped_table(sql: str) -> str:
    """Returns the name that a `DROP TABLE` or `DROP VIEW` drops.

    Raises:
        UnsupportedError: It drops something else.
    """
    found = words(sql)
    if not found[1:] or keyword(found[1]) not in {"TABLE", "VIEW"}:
        raise UnsupportedError("DROP TABLE and DROP VIEW are offered: got another DROP")
    return _name(found[4:] if keywords(found[2:4]) == ["IF", "EXISTS"] else found[2:])


def explained(sql: str) -> tuple[str, frozenset[str]]:
    """Returns the query behind `EXPLAIN [ANALYZE] [VERBOSE]`, and the words between.

    Raises:
        SqlSyntaxError: There is no query.
        UnsupportedError: It asks for another format.
    """
    modifiers: set[str] = set()
    found = words(sql)[1:]
    for place, token in enumerate(found):
        if keyword(token) in {"VERBOSE", "ANALYZE"}:
            modifiers.add(keyword(token))
        elif keyword(token) == "FORMAT":
            form = " ".join(each.text for each in found[place : place + 2])
            message = f"EXPLAIN answers with a table of texts: got {form}"
            raise UnsupportedError(f"{message}; leave it out, or use EXPLAIN VERBOSE for more")
        else:
            return sql[token.start :], frozenset(modifiers)
    raise SqlSyntaxError("EXPLAIN is followed by a query: got none")


def unsupported(sql: str) -> UnsupportedError:
    """Returns the error for a statement that is not offered, with what to do instead."""
    found = words(sql)
    first = keywords(found[:3])
    instead = _INSTEAD.get(
        first[0], "queries, COPY, INSERT, CREATE, DROP, SET, SHOW and EXPLAIN are"
    )
    named = itertools.takewhile(keyword, found[:3])
    statement = " ".join(token.text for token in named) or sql[:40]
    return UnsupportedError(f"the statement {statement} is not offered by this version; {instead}")


def _after(word: str, found: list[Token]) -> tuple[bool, list[Token]]:
    """Returns what follows a word, and whether IF NOT EXISTS stood between."""
    rest = found[keywords(found).index(word) + 1 :]
    spared = keywords(rest[:3]) == _IF_NOT_EXISTS
    return spared, rest[3:] if spared else rest


def _outside_parentheses(found: list[Token]) -> list[Token]:
    """Leaves out columns, options and orders, in which any word may stand."""
    depth, outside = 0, []
    for token in found:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0:
            outside.append(token)
    return outside


def format_options(found: list[Token]) -> tuple[tuple[str, str], ...]:
    """Reads `OPTIONS (name value, ...)`; a name may have several words with dots between."""
    start = next((i for i, token in enumerate(found) if keyword(token) == "OPTIONS"), None)
    if start is None or [token.text for token in found[start + 1 : start + 2]] != ["("]:
        return ()
    options: list[tuple[str, str]] = []
    current: list[Token] = []
    for token in found[start + 2 :]:
        if token.text not in {",", ")"}:
            current.append(token)
            continue
        if current:
            *name, last = current
            options.append(("".join(value(part) for part in name), value(last)))
        if token.text == ")":
            break
        current = []
    return tuple(options)


def _stored_as(found: list[Token]) -> str:
    for stored, by, name in zip(found, found[1:], found[2:], strict=False):
        if (keyword(stored), keyword(by)) == ("STORED", "AS"):
            if value(name).lower() in FILE_FORMATS:
                return value(name).lower()
            offered = ", ".join(FILE_FORMATS).upper()
            message = f"a table is STORED AS one of {offered}: got {value(name)[:40]}"
            raise UnsupportedError(f"{message}; convert the files to one of them")
    return "files"


def _name(found: list[Token]) -> str:
    name, _ = take_name(found)
    if not name:
        raise SqlSyntaxError("a table has a name: got none")
    return name
