"""Engine processes: they read inputs, compute programs, write files, and die."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final

from simulation.chance import Chance, Fault
from simulation.clock import Clock, Timer
from simulation.programs import Rows, evaluate
from simulation.queries import ROW_BYTES, Computation, Library, route
from simulation.rules import hold
from springald_executor.core import events as ev
from springald_executor.core.failures import Failure
from springald_executor.core.model import (
    Block,
    LocalInput,
    RemoteInput,
    StoredFile,
    TaskReport,
    TaskRequest,
)
from springald_scheduler.core.graph import Exchange, ExchangeKind

if TYPE_CHECKING:
    from simulation.executor_process import ExecutorProcess

Files = dict[str, dict[int, Rows] | None]
"""What lies in files, by path and partition; None for a damaged one."""

STALLED_MS: Final = 10_000

_TROUBLES: Final = (
    Failure("IO_FAILED", "broke", retryable=True),
    Failure("IO_FAILED", "broke", retryable=True),
    Failure("TICKET_EXPIRED", "too old", retryable=True),
    Failure("OUT_OF_DISK", "full", retryable=True),
    Failure("OUT_OF_MEMORY", "full"),
    Failure("OUT_OF_MEMORY", "full"),
    Failure("TASK_LOST", "panicked", retryable=True),
    Failure("DIVISION_BY_ZERO", "by zero"),
)
_DIED: Final = Failure("TASK_LOST", "died", retryable=True)


class ReadError(Exception):
    """An input cannot be read; the failure says which."""

    def __init__(self, failure: Failure, wait_ms: int = 0) -> None:
        """Takes what is reported, and how long it takes to notice."""
        super().__init__(failure.message)
        self.failure = failure
        self.wait_ms = wait_ms


@dataclass(slots=True)
class Engine:
    """A process; one that is being killed still runs for a moment."""

    timer: Timer | None = None
    request: TaskRequest | None = None
    is_ready: bool = False
    is_dying: bool = False
    is_spent: bool = False


@dataclass(slots=True)
class Gathered:
    """What a task has read: for each input and partition rows, and the attempts that made them."""

    rows: list[dict[int, Rows]] = field(default_factory=list)
    attempts: set[str] = field(default_factory=set)
    bytes_local: int = 0
    bytes_remote: int = 0


class Engines:
    """The engines of one executor."""

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        library: Library,
        owner: "ExecutorProcess",
    ) -> None:
        """Starts without any."""
        self._clock = clock
        self._chance = chance
        self._library = library
        self._owner = owner
        self._engines: dict[int, Engine] = {}

    def close(self) -> None:
        """Ends all of them with their executor."""
        for engine in self._engines.values():
            if engine.timer:
                engine.timer.is_off = True
        self._engines.clear()

    def start(self, engine_id: int) -> None:
        """Starts an engine, which is ready or dead some time later."""
        engine = self._engines[engine_id] = Engine()
        stillborn = self._chance.strikes(Fault.ENGINE_STILLBORN, 0.3)

        def begin() -> None:
            if stillborn:
                self._die(engine_id)
            else:
                engine.is_ready = True
                self._owner.post_awake(ev.EngineReady(engine_id))

        engine.timer = self._clock.after(self._chance.between(200, 500), begin)

    def stop(self, engine_id: int) -> None:
        """Kills an engine, which is gone a moment later."""
        engine = self._engines.get(engine_id)
        if engine and not engine.is_dying:
            engine.is_dying = True
            if engine.timer:
                engine.timer.is_off = True
            self._clock.after(self._chance.one_of(1, 5, 50), lambda: self._die(engine_id))

    def run(self, engine_id: int, request: TaskRequest) -> None:
        """Runs an attempt: reads what it needs, computes, and tells how it went."""
        engine = self._engines.get(engine_id)
        if engine is None:
            return  # It has died, and its agent does not know yet.
        hold(engine.is_ready and not engine.is_dying, f"engine {engine_id} waits for a task")
        hold(not engine.is_spent, f"an engine that is used up runs no task: got {engine_id}")
        hold(engine.request is None, f"an engine runs one attempt: got {request.task_id}")
        engine.request = request
        self._owner.files.setdefault(f"{request.grant.folder}/out", {})
        lasts_ms = self._chance.one_of(1, 5, 20, 50, 100, 300, 1_000, 4_000)
        reads_ms = self._chance.between(0, lasts_ms)
        if self._chance.strikes(Fault.ENGINE_DIED):
            self._later(engine, reads_ms, lambda: self._die(engine_id))
        elif self._chance.strikes(Fault.ENGINE_OUTGREW):
            failure = Failure("OUT_OF_MEMORY", "outgrew")
            outgrew = ev.EngineOutgrew(engine_id, failure)
            self._later(engine, reads_ms, lambda: self._owner.post_awake(outgrew))
        elif self._chance.strikes(Fault.TASK_BROKE):
            failure = self._chance.one_of(*_TROUBLES)
            self._later(engine, reads_ms, lambda: self._break(engine_id, request, failure))
        else:
            self._later(
                engine, reads_ms, lambda: self._read(engine_id, request, lasts_ms - reads_ms)
            )

    def check_unused(self, folder: str) -> None:
        """No folder is removed in which an engine still writes."""
        for engine in self._engines.values():
            if engine.request:
                there = f"{engine.request.grant.folder}/".startswith(f"{folder}/")
                hold(not there, f"no file is removed under its writer: got {folder}")

    def _later(self, engine: Engine, wait_ms: int, act: Callable[[], None]) -> None:
        engine.timer = self._clock.after(wait_ms, act)

    def _die(self, engine_id: int) -> None:
        if self._engines.pop(engine_id, None):
            self._owner.post_awake(ev.EngineDied(engine_id, _DIED))

    def _break(self, engine_id: int, request: TaskRequest, failure: Failure) -> None:
        usable = self._chance.between(1, 4) > 1
        engine = self._engines[engine_id]
        engine.request, engine.is_spent = None, not usable
        self._owner.post_awake(ev.TaskBroke(engine_id, request.task_id, failure, usable))

    def _read(self, engine_id: int, request: TaskRequest, rest_ms: int) -> None:
        engine = self._engines[engine_id]
        try:
            gathered = self._gather(request)
        except ReadError as error:
            failure = error.failure
            self._later(engine, error.wait_ms, lambda: self._break(engine_id, request, failure))
            return
        self._later(engine, rest_ms, lambda: self._finish(engine_id, request, gathered))

    def _gather(self, request: TaskRequest) -> Gathered:
        gathered = Gathered()
        for each in request.inputs:
            rows: dict[int, Rows] = {}
            for output in each.outputs:
                parts = self._fetch(output)
                wanted = parts if each.told is None else set(each.told) & parts.keys()
                for number in sorted(wanted):
                    rows.setdefault(number, []).extend(parts[number])
                    gathered.attempts.add(output.task_id)
                    size = len(parts[number]) * ROW_BYTES
                    if isinstance(output, LocalInput):
                        gathered.bytes_local += size
                    else:
                        gathered.bytes_remote += size
            gathered.rows.append(rows)
        return gathered

    def _fetch(self, output: LocalInput | RemoteInput) -> dict[int, Rows]:
        """Returns the rows of an output by partition, wherever it lies."""
        task_id = output.task_id
        if isinstance(output, LocalInput):
            path = output.file.path
            hold(path in self._owner.files, f"what is read here lies here: {task_id} does not")
            return self._whole(self._owner.files[path], task_id)
        if not output.partitions:
            return {}
        failed = Failure("FETCH_FAILED", "not reached", retryable=True, lost_task_id=task_id)
        peer = self._owner.peer(output.address)
        if peer is None or self._chance.strikes(Fault.FETCH_FAILED):
            raise ReadError(failed, self._chance.between(1, 100))
        if peer.is_paused:
            raise ReadError(failed, STALLED_MS)
        if peer.agent.cluster != self._owner.agent.cluster:
            raise ReadError(failed, 1)  # It has not registered yet, or elsewhere.
        file = peer.find_output(task_id)
        if file is None:
            raise ReadError(_lost(task_id), 1)
        return self._whole(peer.files.get(file.path), task_id)

    def _whole(self, parts: dict[int, Rows] | None, task_id: str) -> dict[int, Rows]:
        if parts is None:
            raise ReadError(_lost(task_id), 1)
        return parts

    def _finish(self, engine_id: int, request: TaskRequest, gathered: Gathered) -> None:
        stopped = request.task_id in self._owner.cancelled
        hold(not stopped, f"what is cancelled does not finish: got {request.task_id}")
        computation = self._library.get(request.stage.fragment.payload)
        nonce = self._chance.between(1, 1 << 30) if computation.varies else 0
        made = self._compute(request, computation, gathered, nonce)
        self._owner.ledger.note_read(request.task_id, gathered.attempts)
        path = f"{request.grant.folder}/out"
        inline = b""
        size = ROW_BYTES * sum(map(len, made.values()))
        is_whole = len(request.partitions) == request.stage.output_partitions
        if is_whole and 0 < size <= request.stage.inline_rows_bytes_max:
            inline = repr([row for _, part in sorted(made.items()) for row in part]).encode()
        self._owner.files.pop(path, None)
        if inline:
            path = ""
        else:
            # Damage that comes later mostly meets what nobody reads any more.
            damaged = self._chance.strikes(Fault.OUTPUT_DAMAGED, 0.3)
            self._owner.files[path] = None if damaged else made
        content = sorted((where, tuple(sorted(part))) for where, part in made.items())
        self._owner.ledger.content[request.task_id] = hash((tuple(content), nonce))
        in_memory = not inline and size <= request.grant.memory_bytes
        file = _stored(path, made, size, in_memory=in_memory)
        if computation.knows_checksums:
            sums = {where: _checksum(part, nonce) for where, part in made.items() if part}
            file.checksums.update(sums)
        report = TaskReport(
            file,
            bytes_read_local=gathered.bytes_local,
            bytes_read_remote=gathered.bytes_remote,
            elapsed_ms=1,
            rows=inline,
        )
        usable = self._chance.between(1, 10) > 1
        engine = self._engines[engine_id]
        engine.request, engine.is_spent = None, not usable
        self._owner.post_awake(ev.TaskRan(engine_id, request.task_id, report, usable))

    def _compute(
        self, request: TaskRequest, computation: Computation, gathered: Gathered, nonce: int
    ) -> dict[int, Rows]:
        stage = request.stage
        output = Exchange(ExchangeKind(stage.output.value), stage.output_partitions)

        def reads(number: int, wanted: int | None) -> Rows:
            parts = gathered.rows[number]
            if wanted is not None:
                return parts.get(wanted, [])
            return [row for _, part in sorted(parts.items()) for row in part]

        made: dict[int, Rows] = {}
        scatter = Random(nonce) if computation.scatters and nonce else None  # noqa: S311 - repeatable
        for partition in request.partitions:
            rows = evaluate(computation.program, partition, reads)
            if scatter and output.kind is ExchangeKind.HASH:
                for row in rows:
                    made.setdefault(scatter.randrange(output.partition_count), []).append(row)
                continue
            for where, part in route(output, rows, partition).items():
                made.setdefault(where, []).extend(part)
        return made


def _lost(task_id: str) -> Failure:
    return Failure("INPUT_LOST", "not there", retryable=True, lost_task_id=task_id)


def _checksum(rows: Rows, nonce: int) -> int:
    return (sum((row + 1) * 2654435761 for row in rows) ^ nonce) % (1 << 62) + 1


def _stored(path: str, made: dict[int, Rows], size: int, *, in_memory: bool) -> StoredFile:
    blocks: dict[int, tuple[Block, ...]] = {}
    start = 0
    for number, (where, part) in enumerate(sorted(made.items())):
        if part:
            end = start + len(part) * ROW_BYTES
            blocks[where] = (Block(number, start, end, len(part), 0),)
            start = end
    return StoredFile(path, size, in_memory, blocks)
