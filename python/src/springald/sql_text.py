"""SQL as text: where statements end, what they begin with, and where a finger points.

Nothing here parses SQL. It walks over strings, quoted names and comments, which is what must be
known to find a semicolon or a word that means something. The quoting is that of the engine's
default dialect: no backslash escapes outside `E'...'`, comments that nest, `$$` strings.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from springald.client_limits import CARET_CHARACTERS_MAX
from springald.errors import Position, SpringaldError
from springald.sql_words import KEYWORDS

__all__ = [
    "Kind",
    "Token",
    "count_query",
    "explain_query",
    "has_words",
    "is_complete",
    "is_nestable",
    "is_query",
    "limit_query",
    "name_parts",
    "point_at",
    "quote_name",
    "split_statements",
    "strip_end",
    "tokens",
    "with_caret",
    "written_name",
]

_TOKEN: Final = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--[^\n]*)
    | (?P<nested>/\*)
    | (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*(?P<escaped_end>')?)
    | (?P<string>'(?:[^']|'')*(?P<string_end>')?)
    | (?P<name>"(?:[^"]|"")*(?P<name_end>")?|`[^`]*(?P<tick_end>`)?)
    | (?P<dollar>\$(?P<tag>[A-Za-z_]\w*)?\$)
    | (?P<word>[^\W\d]\w*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_NESTING: Final = re.compile(r"/\*|\*/")
_PLAIN_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")
_KEYWORDS: Final = frozenset(KEYWORDS)

# What returns rows and changes nothing: it runs when its rows are asked for.
_QUERY_WORDS: Final = frozenset({
    "DESC", "DESCRIBE", "EXPLAIN", "FROM", "SELECT", "SHOW", "TABLE", "VALUES", "WITH",
})  # fmt: skip
# The queries that can stand inside another one.
_NESTABLE_WORDS: Final = frozenset({"FROM", "SELECT", "VALUES", "WITH"})


class Kind(Enum):
    """What a token is."""

    SPACE = "space"
    COMMENT = "comment"
    STRING = "string"
    NAME = "name"
    WORD = "word"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text.

    Attributes:
        kind: What it is.
        text: Its characters.
        start: Where it begins, in characters from 0.
        closed: False if a string, quoted name or comment never ends.
    """

    kind: Kind
    text: str
    start: int
    closed: bool = True

    @property
    def end(self) -> int:
        """Where the next token begins."""
        return self.start + len(self.text)

    @property
    def means_something(self) -> bool:
        """True for all but space and comments."""
        return self.kind not in (Kind.SPACE, Kind.COMMENT)


def tokens(text: str) -> Iterator[Token]:
    """Cuts a text into tokens; together they are the whole text again.

    Example:
        >>> [token.text for token in tokens("SELECT 'a;b'") if token.means_something]
        ['SELECT', "'a;b'"]
    """
    start = 0
    while start < len(text):
        token = _token_at(text, start)
        yield token
        start = token.end


def _token_at(text: str, start: int) -> Token:
    match = _TOKEN.match(text, start)
    if match is None:  # The last alternative takes any character.
        raise AssertionError(f"every character begins a token: got {text[start]!r}")
    kind = match.lastgroup
    found = match.group()
    if match["nested"]:
        end, closed = _comment_end(text, start)
        return Token(Kind.COMMENT, text[start:end], start, closed)
    if match["dollar"]:
        end = text.find(found, match.end())
        closed = end >= 0
        return Token(Kind.STRING, text[start : end + len(found) if closed else None], start, closed)
    if match["escaped"]:
        return Token(Kind.STRING, found, start, match["escaped_end"] is not None)
    if match["string"]:
        return Token(Kind.STRING, found, start, match["string_end"] is not None)
    if match["name"]:
        closed = match["name_end"] is not None or match["tick_end"] is not None
        return Token(Kind.NAME, found, start, closed)
    return Token(Kind(kind), found, start)


def _comment_end(text: str, start: int) -> tuple[int, bool]:
    depth = 0
    for mark in _NESTING.finditer(text, start):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return mark.end(), True
    return len(text), False


def split_statements(text: str) -> list[str]:
    """Cuts a text at its semicolons; pieces without a word are left out.

    Example:
        >>> split_statements("SET x = ';'; SELECT 1;")
        ["SET x = ';'", 'SELECT 1']
    """
    pieces, start = [], 0
    for token in [*tokens(text), Token(Kind.OTHER, ";", len(text))]:
        if token.text == ";" and token.kind is Kind.OTHER:
            pieces.append(text[start : token.start])
            start = token.end
    return [piece.strip() for piece in pieces if has_words(piece)]


def has_words(text: str) -> bool:
    r"""Tells whether there is anything but space, comments and semicolons in a text.

    Example:
        >>> has_words("-- nothing\n;"), has_words("SELECT 1")
        (False, True)
    """
    return any(token.means_something and token.text != ";" for token in tokens(text))


def is_complete(text: str) -> bool:
    """Tells whether a person has finished typing: the text ends in a semicolon outside of quotes.

    Example:
        >>> is_complete("SELECT ';"), is_complete("SELECT 1; -- done")
        (False, True)
    """
    telling = [token for token in tokens(text) if token.means_something or not token.closed]
    return bool(telling) and telling[-1].text == ";"


def is_query(text: str) -> bool:
    """Tells whether a statement returns rows and changes nothing, so that it can wait.

    Example:
        >>> is_query("/* hi */ SELECT 1"), is_query("CREATE VIEW v AS SELECT 1")
        (True, False)
    """
    return _first_word(text) in _QUERY_WORDS


def is_nestable(text: str) -> bool:
    """Tells whether a query can stand in the FROM of another one.

    Example:
        >>> is_nestable("WITH x AS (SELECT 1) SELECT * FROM x"), is_nestable("SHOW TABLES")
        (True, False)
    """
    return _first_word(text) in _NESTABLE_WORDS


def limit_query(text: str, rows: int, offset: int = 0) -> str:
    """Returns a query for a run of the rows of a nestable query, in the query's own order.

    A subquery's ORDER BY means nothing to SQL, and the engine drops it; so the limit is written
    behind the query. Only a query that has a limit already, and so keeps its order, becomes a
    subquery.

    Example:
        >>> print(limit_query("SELECT a FROM t ORDER BY a;", 3))
        SELECT a FROM t ORDER BY a
        LIMIT 3
    """
    body = strip_end(text)
    limit = f"LIMIT {rows}" + (f" OFFSET {offset}" if offset else "")
    if _limited(body):
        return f"SELECT * FROM (\n{body}\n) {limit}"  # noqa: S608 - the caller's own query
    return f"{body}\n{limit}"


def count_query(text: str) -> str:
    """Returns a query for the number of rows of a nestable query.

    Example:
        >>> print(count_query("SELECT a FROM t;"))
        SELECT count(*) FROM (
        SELECT a FROM t
        )
    """
    return f"SELECT count(*) FROM (\n{strip_end(text)}\n)"  # noqa: S608 - the caller's own query


def explain_query(text: str, *, verbose: bool, analyze: bool = False) -> str:
    """Returns the EXPLAIN of a query; one that is an EXPLAIN already stays what it is.

    Example:
        >>> explain_query("SELECT 1;", verbose=True)
        'EXPLAIN VERBOSE SELECT 1'
        >>> explain_query("SELECT 1", verbose=False, analyze=True)
        'EXPLAIN ANALYZE SELECT 1'
    """
    if _first_word(text) == "EXPLAIN":
        return strip_end(text)
    words = ["EXPLAIN", *(["ANALYZE"] if analyze else []), *(["VERBOSE"] if verbose else [])]
    return f"{' '.join(words)} {strip_end(text)}"


def strip_end(text: str) -> str:
    """Returns a statement without its semicolon, and without the space and comments at its end.

    Example:
        >>> strip_end("SELECT 1 -- one;")
        'SELECT 1'
    """
    end = 0
    for token in tokens(text):
        if token.means_something and token.text != ";":
            end = token.end
    return text[:end]


def quote_name(name: str) -> str:
    """Returns a name as SQL takes it to mean exactly that, quoted where it must be.

    Example:
        >>> quote_name("lineitem"), quote_name("My Table")
        ('lineitem', '"My Table"')
    """
    if _PLAIN_NAME.fullmatch(name) and name.upper() not in _KEYWORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


def written_name(name: str) -> str:
    """Returns a name as a person wrote it in SQL's notation; what is no name becomes a quoted one.

    Example:
        >>> written_name('public."My Table"'), written_name("t; DROP TABLE t")
        ('public."My Table"', '"t; DROP TABLE t"')
    """
    return name if name_parts(name) else quote_name(name)


def name_parts(name: str, *, folds: bool = False) -> list[str]:
    """Returns the parts of a name in SQL's notation, without quotes; none if it is no name.

    Example:
        >>> name_parts('public."My Table"'), name_parts("count(*)")
        (['public', 'My Table'], [])

    Args:
        name: The name.
        folds: Whether what is not quoted is taken in small letters, as SQL does.
    """
    parts = list(tokens(name))
    names, dots = parts[::2], parts[1::2]
    is_name = (
        len(names) == len(dots) + 1
        and all(part.kind in (Kind.WORD, Kind.NAME) and part.closed for part in names)
        and all(part.text == "." for part in dots)
    )
    if not is_name:
        return []
    return [
        (part.text.lower() if folds else part.text)
        if part.kind is Kind.WORD
        else part.text[1:-1].replace('""', '"')
        for part in names
    ]


def point_at(text: str, position: Position) -> str:
    r"""Shows a line of a statement with a caret under one of its characters.

    Example:
        >>> print(point_at("SELECT 1\nFORM t", Position(2, 1)))
        line 2: FORM t
                ^

    Args:
        text: The whole statement.
        position: Where to point; beyond the end of the text, its last line is shown. Of a long
            line, what is near is shown.
    """
    lines = text.split("\n") or [""]
    number = min(max(position.line, 1), len(lines))
    line = lines[number - 1].rstrip("\r")
    column = min(max(position.column, 1), len(line) + 1)
    start, end = column - 1 - CARET_CHARACTERS_MAX // 2, column - 1 + CARET_CHARACTERS_MAX // 2
    head = f"line {number}: {'...' if start > 0 else ''}"
    tail = "..." if end < len(line) else ""
    before, after = line[max(start, 0) : column - 1], line[column - 1 : end]
    # Tabs are kept, so that the caret stands right however wide they are drawn.
    pad = "".join("\t" if character == "\t" else " " for character in before)
    return f"{head}{before}{after}{tail}\n{' ' * len(head)}{pad}^"


def with_caret(error: SpringaldError, text: str) -> SpringaldError:
    """Adds the statement's line with a caret to the message of an error that knows its place."""
    if error.position is not None:
        caret = point_at(text, error.position)
        if caret not in error.message:
            error.message = f"{error.message}\n{caret}"
    return error


def _first_word(text: str) -> str:
    """The leading keyword; parentheses before it do not count."""
    for token in tokens(text):
        if token.means_something and token.text != "(":
            return token.text.upper() if token.kind is Kind.WORD else ""
    return ""


def _limited(text: str) -> bool:
    """Tells whether a limit stands outside of parentheses; a column may be named like its words."""
    depth = 0
    telling = [token for token in tokens(text) if token.means_something]
    for token, following in itertools.pairwise(telling):
        if token.kind is Kind.OTHER and token.text in "()":
            depth += 1 if token.text == "(" else -1
        elif depth == 0 and token.kind is Kind.WORD:
            word = token.text.upper()
            if word == "FETCH" and following.text.upper() in ("FIRST", "NEXT"):
                return True
            if word in ("LIMIT", "OFFSET") and _is_amount(following):
                return True
    return False


def _is_amount(token: Token) -> bool:
    return token.text.isdecimal() or token.text.upper() in ("ALL", "NULL", "$", "(")
