"""A scheduler that only keeps streams: it accepts executors, records what they say, and pushes."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import grpc
import psutil
from pyarrow import flight

from springald.error.v1 import error_pb2
from springald.executor.v1 import executor_pb2 as pb
from springald.executor.v1 import executor_pb2_grpc
from springald.physical.v1 import physical_pb2 as physical
from springald.tickets import sign
from springald.types import schema_to_proto
from springald_executor.core.model import ExchangeKind, StageDefinition
from springald_executor.engine.runner import ENGINE_VERSION

KEY = bytes(range(32))
PATIENCE_S = 30.0
_KINDS = {
    ExchangeKind.HASH: physical.EXCHANGE_KIND_HASH,
    ExchangeKind.SINGLE: physical.EXCHANGE_KIND_SINGLE,
    ExchangeKind.BROADCAST: physical.EXCHANGE_KIND_BROADCAST,
    ExchangeKind.RESULT: physical.EXCHANGE_KIND_RESULT,
}


@dataclass
class Stream:
    """One stream of an executor: what it said, and what it is told."""

    said: list[pb.ConnectRequest] = field(default_factory=list)
    told: "queue.SimpleQueue[pb.ConnectResponse | None]" = field(default_factory=queue.SimpleQueue)
    news: threading.Condition = field(default_factory=threading.Condition)
    ended: bool = False

    def tell(self, **message: object) -> None:
        """Sends a message."""
        self.told.put(pb.ConnectResponse(**message))  # type: ignore[arg-type]

    def wait(self, kind: str, match: Callable[[Any], bool] = lambda _: True) -> Any:  # noqa: ANN401
        """Waits for the first message of a kind that matches, and returns it."""

        def find() -> Any:  # noqa: ANN401
            found = [getattr(m, kind) for m in self.said if m.WhichOneof("message") == kind]
            return next((message for message in found if match(message)), None)

        with self.news:
            if not self.news.wait_for(lambda: find() is not None, PATIENCE_S):
                kinds = [message.WhichOneof("message") for message in self.said]
                raise AssertionError(f"no {kind} in time, only {kinds}")
            return find()

    def wait_end(self) -> None:
        """Waits until the executor has ended the stream."""
        with self.news:
            assert self.news.wait_for(lambda: self.ended, PATIENCE_S)


class FakeScheduler(executor_pb2_grpc.ExecutorServiceServicer):
    """The server; `refusal` turns executors away, `key` is the ticket key it hands out."""

    def __init__(self, allowed: Sequence[Path], port: int = 0) -> None:
        self.refusal: error_pb2.Error | None = None
        self.key = KEY
        self.streams: queue.SimpleQueue[Stream] = queue.SimpleQueue()
        self._allowed = [str(path) for path in allowed]
        self._server = grpc.server(ThreadPoolExecutor(8))
        executor_pb2_grpc.add_ExecutorServiceServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self.address = f"127.0.0.1:{self.port}"
        self._server.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends all streams at once."""
        self._server.stop(0).wait(PATIENCE_S)

    def Connect(  # noqa: N802 - the contract's name
        self, request_iterator: Iterator[pb.ConnectRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.ConnectResponse]:
        """Keeps one stream."""
        stream = Stream()
        context.add_callback(lambda: stream.told.put(None))
        threading.Thread(target=self._listen, args=(request_iterator, stream), daemon=True).start()
        stream.wait("registration")
        if self.refusal is not None:
            yield pb.ConnectResponse(refused=pb.Refused(error=self.refusal))
            return
        yield pb.ConnectResponse(
            registered=pb.Registered(
                ticket_key=self.key, heartbeat_interval_ms=100, allowed_paths=self._allowed
            )
        )
        self.streams.put(stream)
        while (message := stream.told.get()) is not None:
            yield message

    @staticmethod
    def _listen(requests: Iterator[pb.ConnectRequest], stream: Stream) -> None:
        try:
            for message in requests:
                with stream.news:
                    stream.said.append(message)
                    stream.news.notify_all()
        except grpc.RpcError:
            pass
        with stream.news:
            stream.ended = True
            stream.news.notify_all()
        stream.told.put(None)

    def executor(self) -> Stream:
        """Waits for the next executor that registers."""
        return self.streams.get(timeout=PATIENCE_S)


@dataclass
class Executor:
    """An executor process of a test."""

    process: "subprocess.Popen[bytes]"
    ready_file: Path
    log_file: Path
    work_dir: Path

    @property
    def log(self) -> str:
        """What it wrote."""
        return self.log_file.read_text(errors="replace")

    def wait_ready(self) -> dict[str, Any]:
        """Waits for its ready file."""
        wait_until(lambda: self.ready_file.exists() or self.process.poll() is not None)
        assert self.ready_file.exists(), self.log
        told: dict[str, Any] = json.loads(self.ready_file.read_text())
        return told

    def engines(self) -> list[psutil.Process]:
        """Its engine processes."""
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if any("engine_process" in a for a in child.cmdline())]

    def folders(self) -> list[Path]:
        """The folders of this life of it, in memory and on disk."""
        (disk,) = self.work_dir.glob("springald-executor-*")
        memory = Path("/dev/shm") / disk.name  # noqa: S108 - where the executor makes it
        return [disk, memory] if memory.exists() else [disk]

    def exit_code(self) -> int:
        """Waits for its end."""
        return self.process.wait(PATIENCE_S)

    def terminate(self) -> None:
        """Asks it to leave."""
        self.process.send_signal(signal.SIGTERM)


def start_executor(
    scheduler: str, folder: Path, name: str, *arguments: str, stdin: int = subprocess.DEVNULL
) -> Executor:
    """Starts an executor process."""
    home = folder / name
    home.mkdir(parents=True)
    log_file, ready_file, work_dir = home / "log.txt", home / "ready.json", home / "work"
    with log_file.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [
                *(sys.executable, "-m", "springald_executor", "--scheduler", scheduler),
                *("--executor-id", name, "--work-dir", str(work_dir), "--slots", "1"),
                *("--ready-file", str(ready_file), "--memory", "256MiB", *arguments),
            ],
            stdin=stdin,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return Executor(process, ready_file, log_file, work_dir)


def wait_until(condition: Callable[[], bool]) -> None:
    """Waits for a state of other processes, with a deadline."""
    deadline = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "the state did not come in time"
        pause.wait(0.01)


def is_gone(pid: int) -> bool:
    """True when a process has ended, also if nobody has asked for its exit code yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def definition(
    stage: StageDefinition, inputs: Sequence[Sequence[pb.OutputSource]] = ()
) -> pb.DefineStage:
    """The message that defines a stage."""
    schema = _schema(stage)
    engine, version = ENGINE_VERSION.split()
    return pb.DefineStage(
        job_id=stage.job_id,
        stage=physical.Stage(
            stage_id=stage.stage_id,
            fragment=physical.EngineFragment(
                engine=engine,
                engine_version=version,
                format=physical.FRAGMENT_FORMAT_PHYSICAL_PLAN,
                payload=stage.fragment.payload,
            ),
            inputs=[
                physical.StageInput(stage_id=number + 1, kind=_KINDS[each.kind])
                for number, each in enumerate(stage.inputs)
            ],
            output=physical.Exchange(
                kind=_KINDS[stage.output], partition_count=stage.output_partitions
            ),
            schema=schema,
        ),
        sources=[pb.InputSources(outputs=outputs) for outputs in inputs],
    )


def _schema(stage: StageDefinition) -> Any:  # noqa: ANN401 - a message
    import pyarrow as pa  # noqa: PLC0415 - the only use

    return schema_to_proto(pa.ipc.read_schema(pa.py_buffer(stage.schema)))


def launch(task: str, stage_id: int, partitions: Sequence[int] = (0,)) -> pb.LaunchTask:
    """The message that launches a task of job j1."""
    return pb.LaunchTask(
        task_id=f"j1/s{stage_id}/{task}",
        job_id="j1",
        stage_id=stage_id,
        partitions=partitions,
        slots=1,
    )


def location(finished: pb.TaskFinished, ready: dict[str, Any]) -> pb.OutputSource:
    """Where the output of a finished task lies."""
    return pb.OutputSource(
        task_id=finished.task_id,
        executor_id=ready["executor_id"],
        flight_address=ready["flight_address"],
        sizes=finished.sizes,
    )


def read_result(ready: dict[str, Any], *selections: tuple[str, int]) -> Any:  # noqa: ANN401 - a table
    """Reads partitions of job j1 from an executor, as a client does."""
    claims = pb.TicketClaims(expires_ms=2**62)
    claims.read_outputs.job_id = "j1"
    for task_id, partition in selections:
        claims.read_outputs.selections.add(task_id=task_id, partition=partition)
    with flight.connect(f"grpc://{ready['flight_address']}") as client:
        return client.do_get(flight.Ticket(sign(claims, KEY))).read_all()


def kill(pid: int) -> None:
    """Kills one process."""
    os.kill(pid, signal.SIGKILL)
