"""Reads the code blocks of a Markdown file, and what a comment before them says of them.

A comment on a line of its own right before a block changes what is done with it:

- `<!-- not run: REASON -->`: the block is left alone; the reason is required.
- `<!-- background -->`: the block's command runs until the end of the document.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w-]*)\s*$")
_COMMENT = re.compile(r"^ *<!-- *(?P<text>.*?) *-->\s*$")
_NOT_RUN = "not run:"
_BACKGROUND = "background"


@dataclass(frozen=True)
class Block:
    """A fenced block of code.

    Attributes:
        language: The word behind the fence.
        text: The lines between the fences, without the fences' indentation.
        line: The number of its first line, counted from 1.
        note: The comment right before it; empty if there is none.
    """

    language: str
    text: str
    line: int
    note: str

    @property
    def is_run(self) -> bool:
        """False for a block that is said not to be run, with a reason."""
        return not self.note.startswith(_NOT_RUN)

    @property
    def is_background(self) -> bool:
        """True for a block whose command runs until the end of the document."""
        return self.note == _BACKGROUND


def read_blocks(path: Path) -> list[Block]:
    """Returns a file's blocks of code in order.

    Raises:
        ValueError: A comment about a block is none of those above, or gives no reason.
    """
    return list(_blocks(path.read_text().splitlines(), path))


def _blocks(lines: list[str], path: Path) -> Iterator[Block]:
    note, start, language, indent = "", 0, "", 0
    for number, line in enumerate(lines, 1):
        fence = _FENCE.match(line)
        if start:
            if fence and not fence["language"]:
                inner = [text[indent:] for text in lines[start : number - 1]]
                yield Block(language, "".join(f"{text}\n" for text in inner), start + 1, note)
                note, start = "", 0
        elif fence:
            start, language, indent = number, fence["language"], len(fence["indent"])
        elif comment := _COMMENT.match(line):
            note = _checked(comment["text"], path, number)
        elif line.strip():
            note = ""
    if start:
        raise ValueError(f"{path}:{start}: a block of code ends: got the end of the file")


def _checked(note: str, path: Path, line: int) -> str:
    if note.startswith(_NOT_RUN) and not note.removeprefix(_NOT_RUN).strip():
        raise ValueError(f"{path}:{line}: a block that is not run has a reason: got none")
    return note
