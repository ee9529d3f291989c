"""Runs a document: its blocks of code in order, in a folder of its own, as a reader would.

- `python` blocks run one after the other in one namespace.
- `sh` blocks run in a shell each, which ends at the first command that fails.
- `console` blocks hold commands behind `$ `, and below each what it prints.
- A `text` block right behind one of the first two is what it prints.
- A few other languages are read and not run; one that is not known is refused, so that nothing is
  left out by a slip.

Where output is compared, `...` stands for anything and space at the ends of lines for nothing. The
port 50050 becomes a free one everywhere, so that a document can be run beside a cluster.
"""

import contextlib
import io
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from cluster.waiting import wait_until
from recipes.markdown import Block

_PORT = "50050"
# Languages of blocks that are read and not run; any other one must be known.
_SILENT = frozenset({"text", "sql", "toml", "yaml", "json", "proto"})
_NOTHING = Block("", "", 0, "")
_RUN_S_MAX = 90
_STOP_S_MAX = 20


class DocumentError(AssertionError):
    """A block did not do what stands in the document."""

    def __init__(self, block: Block, problem: str) -> None:
        super().__init__(f"line {block.line}: {problem}; the block is\n{block.text}")


class Document:
    """A document at work.

    Args:
        blocks: Its blocks, in order.
        folder: Where they run.
    """

    def __init__(self, blocks: list[Block], folder: Path) -> None:
        self._blocks = blocks
        self._folder = folder
        self._namespace: dict[str, Any] = {"__name__": "document"}
        self._port = _free_port()
        self._environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            # Tables are drawn as wide as the pages on which they stand.
            "COLUMNS": "100",
        }

    def run(self) -> int:
        """Runs all blocks; returns how many were run.

        Raises:
            DocumentError: One failed, or printed something else.
        """
        ran = 0
        with contextlib.ExitStack() as background:
            for block, after in pairwise([*self._blocks, _NOTHING]):
                if not block.is_run or block.language in _SILENT:
                    continue
                promised = after.text if after.language == "text" else None
                self._run_block(block, promised, background)
                ran += 1
            # What the document made is dropped before the processes that it started.
            self._namespace.clear()
        return ran

    def _run_block(
        self, block: Block, promised: str | None, background: contextlib.ExitStack
    ) -> None:
        text = block.text.replace(_PORT, str(self._port))
        if block.is_background:
            background.enter_context(self._in_background(block, text))
        elif block.language == "python":
            _check(block, self._python(block, text), promised)
        elif block.language == "sh":
            _check(block, self._shell(block, text), promised)
        elif block.language == "console":
            for command, output in _commands(text):
                _check(block, self._shell(block, command), output)
        else:
            raise DocumentError(
                block, f"no way to run a block of {block.language or 'no'} language"
            )

    def _python(self, block: Block, text: str) -> str:
        printed = io.StringIO()
        # Empty lines in front make the line numbers of errors those of the document.
        code = compile("\n" * (block.line - 1) + text, "document", "exec")
        with contextlib.redirect_stdout(printed), contextlib.chdir(self._folder):
            exec(code, self._namespace)  # noqa: S102 - running it is the point
        return printed.getvalue()

    def _shell(self, block: Block, text: str) -> str:
        ran = subprocess.run(
            ["/usr/bin/env", "bash", "-euo", "pipefail", "-c", text],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=_RUN_S_MAX,
            check=False,
        )
        if ran.returncode != 0:
            raise DocumentError(block, f"exit code {ran.returncode} with\n{ran.stderr}")
        return ran.stdout

    @contextlib.contextmanager
    def _in_background(self, block: Block, text: str) -> Iterator[None]:
        """Starts a command, waits until it serves, and stops it with Ctrl-C at the end."""
        command = shlex.split(text, comments=True)
        with subprocess.Popen(command, cwd=self._folder, env=self._environment) as process:
            try:
                wait_until(
                    lambda: self._serves() or process.poll() is not None, "the command serves"
                )
                if process.poll() is not None:
                    raise DocumentError(block, f"it ended with {process.returncode}")
                yield
                process.send_signal(signal.SIGINT)
                if process.wait(_STOP_S_MAX) != 0:
                    raise DocumentError(block, f"it stopped with {process.returncode}")
            finally:
                process.kill()

    def _serves(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


def _commands(text: str) -> Iterator[tuple[str, str]]:
    """Cuts a console's text into commands, with what each of them prints."""
    for piece in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = piece.splitlines(keepends=True)
        length = 1
        while lines[length - 1].rstrip().endswith("\\") and length < len(lines):
            length += 1
        yield "".join(lines[:length]), "".join(lines[length:])


def _check(block: Block, printed: str, promised: str | None) -> None:
    if promised is None:
        return
    pieces = [re.escape(piece) for piece in _trimmed(promised).split("...")]
    if not re.fullmatch(".*".join(pieces), _trimmed(printed), re.DOTALL):
        raise DocumentError(block, f"it promises\n{promised}\nand prints\n{printed}")


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
