"""The words of an expression in SQL."""

import re
from dataclasses import dataclass
from typing import Final

from springald.errors import Position, SqlSyntaxError

__all__ = ["Reader", "Word"]

_WORD: Final = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*)
    | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<text>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<name>[^\W\d]\w*)
    | (?P<parameter>\$\w+)
    | (?P<sign><>|!=|<=|>=|\|\||::|!~\*|!~|~\*|[-+*/%=<>~(),.\[\]])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word, number, text or sign.

    Attributes:
        kind: `number`, `text`, `quoted`, `name`, `parameter`, `sign` or `end`.
        text: Its characters.
        start: Where it begins, in characters from 0.
    """

    kind: str
    text: str
    start: int

    @property
    def upper(self) -> str:
        """A sign, or a word that is not quoted, in capitals; nothing else is a keyword."""
        return self.text.upper() if self.kind in ("name", "sign") else ""


class Reader:
    """Reads words one after the other.

    Args:
        text: The expression.

    Raises:
        SqlSyntaxError: Something in it is no word of SQL.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._words = self._split()
        self._at = 0

    @property
    def next(self) -> Word:
        """The word that is read next."""
        return self._words[self._at]

    @property
    def after_next(self) -> Word:
        """The word behind it."""
        return self._words[min(self._at + 1, len(self._words) - 1)]

    def take(self) -> Word:
        """Reads a word."""
        word = self.next
        if word.kind != "end":
            self._at += 1
        return word

    def accept(self, *keywords: str) -> bool:
        """Reads some keywords or signs if they all come next."""
        ahead = self._words[self._at : self._at + len(keywords)]
        if [word.upper for word in ahead] != list(keywords):
            return False
        self._at += len(keywords)
        return True

    def expect(self, keyword: str) -> None:
        """Reads a keyword or sign that must come next.

        Raises:
            SqlSyntaxError: Something else does.
        """
        if not self.accept(keyword):
            raise self.wrong(f"{keyword} comes next")

    def wrong(self, rule: str) -> SqlSyntaxError:
        """Returns the error for the word that comes next."""
        word = self.next
        before = self.text[: word.start]
        line = before.count("\n") + 1
        column = word.start - (before.rfind("\n") + 1) + 1
        found = repr(word.text) if word.text else "the end"
        return SqlSyntaxError(
            f"{rule} in an expression: got {found} at line {line}, column {column} of "
            f"{self.text[:80]!r}; write it with col() and functions, or use sql()",
            position=Position(line, column),
        )

    def _split(self) -> list[Word]:
        words, start = [], 0
        while start < len(self.text):
            match = _WORD.match(self.text, start)
            if match is None:
                self._words, self._at = [Word("sign", self.text[start], start)], 0
                raise self.wrong("words, numbers, texts and signs stand")
            if match.lastgroup != "space":
                words.append(Word(str(match.lastgroup), match.group(), start))
            start = match.end()
        return [*words, Word("end", "", len(self.text))]
