"""A client under test as the runner has it: a process that takes calls and answers them."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryFile
from threading import Thread
from typing import BinaryIO, Final, cast

from conformance.messages import read_messages, write_message
from springald.conformance.v1 import client_pb2 as pb

ANSWER_S_MAX: Final = 60.0
_END_S_MAX: Final = 10.0
_ROOT: Final = Path(__file__).parents[2]


class BrokenProgramError(AssertionError):
    """A client under test died, was silent, or broke where it should have answered."""


class Program:
    """A running client under test."""

    def __init__(self, process: "subprocess.Popen[bytes]", complaints: BinaryIO) -> None:
        self._process = process
        self._complaints = complaints
        self._answers: SimpleQueue[pb.Answer | None] = SimpleQueue()
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    def ask(self, call: pb.Call) -> pb.Answer:
        """Sends a call and waits for its answer.

        Raises:
            BrokenProgramError: There is none, or the program says that it broke.
        """
        try:
            write_message(cast("BinaryIO", self._process.stdin), call)
            answer = self._answers.get(timeout=ANSWER_S_MAX)
        except (Empty, OSError):
            answer = None
        if answer is None:
            what = call.WhichOneof("call")
            raise BrokenProgramError(
                f"a client under test answers within {ANSWER_S_MAX:g} s: got nothing for {what}\n"
                f"{self._complaint()}"
            )
        if answer.WhichOneof("outcome") == "broken":
            raise BrokenProgramError(f"a client under test must not break: got {answer.broken}")
        return answer

    def end(self) -> None:
        """Ends the program's input, and the program if it goes on."""
        cast("BinaryIO", self._process.stdin).close()
        try:
            code = self._process.wait(_END_S_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise BrokenProgramError(
                f"a client under test ends with its input: it went on for {_END_S_MAX:g} s"
            ) from None
        self._listener.join(_END_S_MAX)
        if code:
            raise BrokenProgramError(
                f"a client under test ends well: got {code}\n{self._complaint()}"
            )

    def _listen(self) -> None:
        try:
            with cast("BinaryIO", self._process.stdout) as stdout:
                for answer in read_messages(stdout, pb.Answer):
                    self._answers.put(answer)
        finally:
            self._answers.put(None)

    def _complaint(self) -> str:
        self._complaints.seek(0)
        return self._complaints.read().decode(errors="replace")[-4_000:]


@contextmanager
def started(command: Sequence[str]) -> Iterator[Program]:
    """Starts a client under test and ends it afterwards."""
    words = [word.format(python=sys.executable, root=_ROOT) for word in command]
    path = os.pathsep.join([str(_ROOT / "integration-tests"), os.environ.get("PYTHONPATH", "")])
    with TemporaryFile() as complaints:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
        )
        program = Program(process, cast("BinaryIO", complaints))
        try:
            yield program
        except BaseException:
            process.kill()
            process.wait()
            raise
        program.end()
