"""The line that a person types in the shell: history, completion, colours, several lines."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import completion_is_selected
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import SqlLexer

from springald.sql_text import is_complete, quote_name
from springald.sql_words import KEYWORDS

if TYPE_CHECKING:
    from springald.cli.shell import Shell

__all__ = ["SqlCompleter", "make_prompt"]

PROMPT: Final = "springald> "
_CONTINUATION: Final = "      ...> "
_COMMANDS: Final = ("\\?", "\\d", "\\q", "\\timing")


def make_prompt(shell: "Shell") -> Callable[[], str]:
    """Returns a function that asks for a text: whole statements, or one backslash command."""
    session: PromptSession[str] = PromptSession(
        history=_history(),
        completer=SqlCompleter(shell),
        lexer=PygmentsLexer(SqlLexer),
        key_bindings=_bindings(),
        multiline=True,
        prompt_continuation=_CONTINUATION,
        complete_while_typing=False,
    )
    return lambda: session.prompt(PROMPT)


class SqlCompleter(Completer):
    """Completes columns after `table.`, and tables, columns and keywords anywhere else."""

    def __init__(self, shell: "Shell") -> None:
        self._shell = shell

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002 - prompt_toolkit's signature
    ) -> Iterable[Completion]:
        """Yields what the word before the cursor can become."""
        before = document.text_before_cursor
        if before.lstrip().startswith("\\") and " " not in before.strip():
            begun = before.strip()
            found: Iterator[str] = (name for name in _COMMANDS if name.startswith(begun))
        else:
            begun = _word_before(before)
            table = _word_before(before[: len(before) - len(begun) - 1])
            qualified = before[: len(before) - len(begun)].endswith(".")
            found = self._columns_of(table, begun) if qualified else self._words(begun)
        for text in found:
            yield Completion(text, start_position=-len(begun))

    def _columns_of(self, table: str, begun: str) -> Iterator[str]:
        names = self._shell.columns_by_table.get(table, [])
        return (quote_name(name) for name in names if _begins(name, begun))

    def _words(self, begun: str) -> Iterator[str]:
        tables = self._shell.columns_by_table
        columns = sorted({name for names in tables.values() for name in names})
        for name in [*tables, *(name for name in columns if name not in tables)]:
            if _begins(name, begun):
                yield quote_name(name)
        if not begun:
            return
        for keyword in KEYWORDS:
            if _begins(keyword, begun):
                yield keyword.lower() if begun.islower() else keyword


def _begins(name: str, begun: str) -> bool:
    return name.lower().startswith(begun.lower())


def _word_before(text: str) -> str:
    end = len(text)
    while end and (text[end - 1].isalnum() or text[end - 1] == "_"):
        end -= 1
    return text[end:]


def _bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter", filter=~completion_is_selected)
    def _enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        text = buffer.text.strip()
        if not text or text.startswith("\\") or is_complete(text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    return bindings


def _history() -> History:
    """Keeps what was typed in the user's folder for state, if it can be written."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    folder = Path(state) / "springald"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "history").touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(folder / "history"))
