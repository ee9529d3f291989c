"""A program at a pseudo-terminal: what it shows, and keys for it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("springald"))
_ROWS, _COLUMNS = 50, 160
_CONTROL = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78]|\x07")

ENTER = b"\r"
TAB = b"\t"
CTRL_C = b"\x03"
CTRL_D = b"\x04"


class Terminal:
    """The person's side: reads the screen as text, types keys."""

    def __init__(self, process: "subprocess.Popen[bytes]", fd: int) -> None:
        self.process = process
        self._fd = fd
        self._shown = b""
        self._read = 0

    def type(self, text: str | bytes) -> None:
        """Types a text, or keys."""
        os.write(self._fd, text.encode() if isinstance(text, str) else text)

    def expect(self, pattern: str, deadline_s: float = 20.0) -> str:
        """Waits until something is shown that was not looked for before; returns what came.

        Raises:
            AssertionError: It was not shown in time; the text has what was.
        """
        deadline = time.monotonic() + deadline_s
        while True:
            text = self._text()
            found = re.search(pattern, text[self._read :])
            if found:
                start, self._read = self._read, self._read + found.end()
                return text[start : self._read]
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not self._receive(left_s):
                raise AssertionError(f"the terminal shows {pattern!r}: got\n{text[self._read :]}")

    def wait_end(self, deadline_s: float = 20.0) -> int:
        """Waits for the end of the program; returns its exit code."""
        deadline = time.monotonic() + deadline_s
        while self._receive(max(0.0, deadline - time.monotonic())):
            pass
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    @property
    def screen(self) -> str:
        """All that was shown."""
        return self._text()

    def _text(self) -> str:
        return _CONTROL.sub(b"", self._shown).replace(b"\r", b"").decode(errors="replace")

    def _receive(self, timeout_s: float) -> bool:
        """Reads what is there; returns False when the time or the program is over."""
        readable, _, _ = select.select([self._fd], [], [], timeout_s)
        if not readable:
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            return False
        self._shown += data
        return bool(data)


@contextmanager
def at_terminal(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Runs a program at a terminal of its own; it is killed if it is still there at the end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    try:
        process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", **environment},
            # The terminal must be the session's own, or Ctrl-C would be no signal.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads
        )
    finally:
        os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(ours)
