"""Clients: they open sessions, submit, follow, fetch, cancel, release, and vanish."""

import ast
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Final

from simulation.chance import Fault
from simulation.executor_process import ExecutorProcess
from simulation.queries import Query
from simulation.rules import hold
from simulation.scheduler_process import LIMITS, Follower, SchedulerProcess
from simulation.world import World
from springald_scheduler.core import actions as do
from springald_scheduler.core import events as on
from springald_scheduler.core.states import JobState
from springald_scheduler.core.views import JobView, ResultOutput

_TIMEOUT_MS: Final = 3_000
_NEVER: Final = frozenset(
    {
        "INTERNAL",
        "UNEXPECTED_MESSAGE",
        "MESSAGE_GARBLED",
        "TICKET_INVALID",
        "SCHEDULER_RESTARTED",
    }
)
"""Codes with which no job ends, whatever goes wrong outside."""

_AT_ONCE: Final = frozenset({"DIVISION_BY_ZERO", "SQL_SYNTAX", "OUT_OF_MEMORY", "NO_EXECUTOR"})
"""Codes with which a job may end for a single fault; others have a budget of three at least."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A call came to nothing, as far as the client knows."""


LOST: Final = Lost()

Resume = Callable[[Any], None]
Wait = Callable[[Resume], None]
Script = Generator[Wait, Any, Any]
"""What a client does; it yields what it waits for and is sent what came of it."""


class SessionLostError(Exception):
    """The scheduler knows the session no more."""


class Client:
    """One client with one session at a time."""

    def __init__(self, world: World, number: int, statements: dict[str, Query]) -> None:
        """Begins some time later."""
        self.name = f"c{number}"
        self.is_done = False
        self.has_vanished = False
        self._world = world
        self._statements = statements
        self._sessions = 0
        self._session = ""
        self._was_away = False
        self._heard_ms = 0
        self._script: Script = self._run()
        world.clock.after(world.chance.between(0, 2_000), lambda: self._go_on(None))

    # The script.

    def _run(self) -> Script:
        for statement, query in self._statements.items():
            yield self._sleep(self._world.chance.one_of(0, 0, 100, 2_000))
            for operation in range(1, 30):
                try:
                    yield from self._open()
                    yield from self._query(statement, query, f"{statement}-o{operation}")
                except SessionLostError:
                    self._session = ""
                    continue
                break
        yield from self._close()

    def _open(self) -> Script:
        if not self._session:
            self._sessions += 1
            self._session = f"{self.name}-s{self._sessions}"
            yield from self._insist(on.SessionOpened(self._session))

    def _close(self) -> Script:
        if self._session:
            yield from self._insist(on.SessionClosed(self._session))

    def _query(self, statement: str, query: Query, operation: str) -> Script:
        """Runs a statement; comes back to it by its operation id as often as it takes."""
        self._was_away = False
        cancels = self._world.chance.between(1, 12) == 1
        while True:
            job_id = yield from self._submit(statement, operation)
            if cancels:
                yield self._sleep(self._world.chance.between(0, 3_000))
                cancel = on.JobCancelRequested(self._session, operation, "enough")
                yield from self._insist(cancel)
            view = yield self._follow(job_id)
            if isinstance(view, Lost):
                self._was_away = True
                yield self._sleep(self._world.chance.one_of(10, 100, 1_000))
                continue
            if not cancels and self._vanishes():
                return
            if (yield from self._take(view, query, operation, cancels=cancels)):
                break
        yield from self._insist(on.JobReleased(self._session, operation))

    def _submit(self, statement: str, operation: str) -> Script:
        event = on.JobSubmitted(self._session, operation, statement, statement.encode())
        for action in (yield from self._insist(event)):
            if isinstance(action, do.AcceptJob | do.AttachJob):
                self._ledger.check_accepted(self._session, operation, action.job_id)
                return action.job_id
        raise SessionLostError

    def _take(self, view: JobView, query: Query, operation: str, *, cancels: bool) -> Script:
        """Takes in how a job ended; returns False if its result has to be made again."""
        if view.state is JobState.SUCCEEDED:
            return (yield from self._fetch(view, query, operation))
        failure = view.failure
        hold(failure is not None, f"a job that failed says why: got {view.job_id}")
        code = failure.code if failure else ""
        if view.state is JobState.CANCELLED:
            wanted = cancels or self._was_away or view.released
            hold(wanted, f"a job is cancelled if its client wants that: got {view.job_id}")
        else:
            hold(code not in _NEVER, f"no job ends with a bug: got {failure}")
            needed = 1 if code in _AT_ONCE else 3
            struck = len(self._world.chance.struck)
            hold(struck >= needed, f"no job fails for {struck} faults: got {failure}")
        return True

    def _fetch(self, view: JobView, query: Query, operation: str) -> Script:
        if query.profiles:
            return True
        if view.answer is not None:
            rows = ast.literal_eval(view.answer.decode())
            self._ledger.check_answer(query, rows, ())
            return True
        rows, lost = [], []
        for output in view.outputs:
            yield self._sleep(self._world.chance.one_of(0, 1, 10, 200))
            part = self._read(output)
            if part is None:
                lost.append(output.attempt_id)
            else:
                rows += part
        if not lost:
            self._ledger.check_answer(query, rows, [each.attempt_id for each in view.outputs])
            return True
        yield from self._insist(on.ResultLost(self._session, operation, tuple(lost)))
        return False

    def _read(self, output: ResultOutput) -> list[int] | None:
        """Fetches a part of a result; None if that fails."""
        world = self._world
        peer: ExecutorProcess | None = world.peers.get(output.flight_address)
        if peer is None or peer.is_paused or world.chance.strikes(Fault.FETCH_FAILED, 0.3):
            return None
        file = peer.find_output(output.attempt_id)
        if file is None or peer.agent.cluster != world.cluster:
            return None
        parts = peer.files.get(file.path)
        if parts is None:
            return None
        told = {number for number, _, _ in output.partitions}
        return [row for number, part in sorted(parts.items()) if number in told for row in part]

    # Calls.

    @property
    def _ledger(self) -> Any:  # noqa: ANN401
        return self._world.ledgers.of(self._world.cluster)

    def _insist(self, event: on.Event) -> Script:
        """Tells the scheduler something, again and again until it answers."""
        while True:
            actions = yield self._ask(event)
            if not isinstance(actions, Lost):
                break
            self._was_away = True
            yield self._sleep(self._world.chance.one_of(10, 100, 1_000))
        refused = False
        for action in actions:
            if isinstance(action, do.Refuse):
                code = action.failure.code
                hold(code in {"SESSION_NOT_FOUND", "JOB_NOT_FOUND"}, f"a call is good: {action}")
                self._check_may_be_gone(code)
                refused = True
        self._heard_ms = self._world.clock.now_ms
        if refused:
            raise SessionLostError
        return actions

    def _check_may_be_gone(self, code: str) -> None:
        """What was acknowledged is there, unless the scheduler keeps nothing."""
        world = self._world
        forgets = world.lives > 1 and not world.is_durable
        silent_ms = world.clock.now_ms - self._heard_ms
        away = silent_ms >= LIMITS.session_lease_ms - _TIMEOUT_MS
        hold(forgets or away, f"what is acknowledged is there: got {code} after {silent_ms} ms")

    def _ask(self, event: on.Event) -> Wait:
        def begin(process: SchedulerProcess, finish: Resume) -> None:
            process.ask(event, finish)

        return self._call(begin, _TIMEOUT_MS)

    def _follow(self, job_id: str) -> Wait:
        """Waits for the end of a job, or until the stream breaks by which it is followed."""
        world = self._world

        def wait(resume: Resume) -> None:
            resume = _once(resume)
            followed: list[tuple[SchedulerProcess, Follower]] = []

            def begin(process: SchedulerProcess, finish: Resume) -> None:
                follower = process.follow(job_id, finish)
                if follower is None:
                    finish(LOST)
                else:
                    followed.append((process, follower))

            def part() -> None:
                resume(LOST)
                wait_ms = world.chance.one_of(1, 100, 5_000)
                world.clock.after(wait_ms, leave)

            def leave() -> None:
                for process, follower in followed:
                    process.leave(follower)

            world.on_death.append(lambda: world.clock.after(5, lambda: resume(LOST)))
            self._call(begin, None)(resume)
            if world.chance.strikes(Fault.REPLY_LOST, 0.5):
                world.clock.after(world.chance.between(10, 4_000), part)

        return wait

    def _call(
        self, begin: Callable[[SchedulerProcess, Resume], None], timeout_ms: int | None
    ) -> Wait:
        world = self._world

        def wait(resume: Resume) -> None:
            over = _once(resume)

            def reply(value: object) -> None:
                if timeout_ms is None or not world.chance.strikes(Fault.REPLY_LOST):
                    world.clock.after(world.chance.one_of(0, 1, 5), lambda: over(value))

            def arrive() -> None:
                process = world.scheduler
                if process is None:
                    over(LOST)
                else:
                    process.serve(lambda: begin(process, reply) if process.is_alive else over(LOST))

            if not world.chance.strikes(Fault.CALL_LOST):
                world.clock.after(world.chance.one_of(0, 1, 5), arrive)
                limit_ms = timeout_ms
            else:
                limit_ms = timeout_ms or _TIMEOUT_MS
            if limit_ms:
                world.clock.after(limit_ms, lambda: over(LOST))

        return wait

    def _sleep(self, wait_ms: int) -> Wait:
        return lambda resume: void(self._world.clock.after(wait_ms, lambda: resume(None)))

    def _vanishes(self) -> bool:
        """True if the client is never heard of again."""
        if self._world.chance.strikes(Fault.CLIENT_VANISHED, 0.3):
            self.has_vanished = True
        return self.has_vanished

    def _go_on(self, value: object) -> None:
        if self.is_done:
            return
        try:
            wait = self._script.send(value)
        except StopIteration:
            self.is_done = True
            return
        if self.has_vanished:
            self.is_done = True
            return
        wait(self._go_on)


def _once(resume: Resume) -> Resume:
    """Returns the same but for all calls after the first one, which do nothing."""
    is_over = False

    def over(value: object) -> None:
        nonlocal is_over
        if not is_over:
            is_over = True
            resume(value)

    return over


def void(_: object) -> None:
    """Drops a value."""
