"""Executors that are not like the cluster: refused, with what they have and what is wanted."""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

import springald
from cluster.raw import address_of, channel_to, rpc_error
from cluster.stranger import registration, stranger
from cluster.waiting import wait_until
from springald.error.v1 import error_pb2
from springald.errors import ExecutorLostError
from springald.executor.v1 import executor_pb2 as pb


def _has(name: str, value: object) -> Callable[[pb.Registration], None]:
    def change(who: pb.Registration) -> None:
        setattr(who, name, value)

    return change


def _speaks(major: int) -> Callable[[pb.Registration], None]:
    def change(who: pb.Registration) -> None:
        who.protocol_version.major = major

    return change


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        (_speaks(2), error_pb2.CODE_PROTOCOL_MISMATCH, "protocol_version"),
        (
            _has("engine_version", "datafusion 54.0.0"),
            error_pb2.CODE_ENGINE_MISMATCH,
            "engine_version",
        ),
        (_has("engine_version", "duckdb 1.4.0"), error_pb2.CODE_ENGINE_MISMATCH, "engine_version"),
        (_has("python_version", "3.99"), error_pb2.CODE_ENGINE_MISMATCH, "python_version"),
        (_has("architecture", "riscv64"), error_pb2.CODE_ENGINE_MISMATCH, "architecture"),
        (
            _has("routing_fingerprint", "0123456789abcdef"),
            error_pb2.CODE_ROUTING_MISMATCH,
            "routing_fingerprint",
        ),
        (_has("slots", 0), error_pb2.CODE_INVALID_ARGUMENT, "slots"),
    ],
)
def test_executor_unlike_the_cluster_is_refused(
    patient: springald.LocalCluster,
    change: Callable[[pb.Registration], None],
    code: error_pb2.Code.ValueType,
    field: str,
) -> None:
    """An executor of another protocol, engine, Python, architecture or routing is refused.

    The reason names both values, and the stream ends (P4.1, P4.2).
    """
    who, like = registration(), registration()
    change(who)
    with channel_to(address_of(patient)) as channel, stranger(channel, who) as executor:
        first = executor.receive()
        assert first.WhichOneof("message") == "refused"
        assert executor.receive_end() == []
        error = first.refused.error
    assert error.code == code
    had, wanted = (_text(getattr(each, field)) for each in (who, like))
    assert had in error.message
    if field != "slots":
        assert wanted in error.message
    with patient.connect() as con:
        assert who.executor_id not in {listed.id for listed in con.executors()}


def _text(value: object) -> str:
    return str(value.major) if hasattr(value, "major") else str(value)


def test_executor_like_the_cluster_is_accepted(patient: springald.LocalCluster) -> None:
    """The same registration without a difference is accepted, listed, and lost with its stream."""
    who = registration()
    with patient.connect() as con:
        with channel_to(address_of(patient)) as channel, stranger(channel, who) as executor:
            registered = executor.receive().registered
            assert len(registered.ticket_key) == 32
            assert registered.heartbeat_interval_ms > 0
            assert registered.allowed_paths
            (listed,) = [listed for listed in con.executors() if listed.id == who.executor_id]
            assert (listed.slots, listed.memory_bytes) == (who.slots, who.memory_bytes)
        wait_until(
            lambda: who.executor_id not in {listed.id for listed in con.executors()},
            "an executor whose stream ended is lost at once (P4.3)",
            5.0,
        )


def test_executor_of_a_later_minor_version_is_accepted(patient: springald.LocalCluster) -> None:
    """A later minor version, with fields that this one does not know, is served (P1.2)."""
    who = registration()
    who.protocol_version.minor = 999
    who.MergeFromString(b"\xfa\x3e\x05later")
    with channel_to(address_of(patient)) as channel, stranger(channel, who) as executor:
        assert executor.receive().HasField("registered")


def test_executor_that_returns_replaces_its_former_life(patient: springald.LocalCluster) -> None:
    """A new incarnation of an id takes the place of the old one, whose stream ends (P2.2)."""
    who, again = registration(), registration()
    again.executor_id = who.executor_id
    again.pid = who.pid + 1
    with (
        channel_to(address_of(patient)) as channel,
        patient.connect() as con,
        stranger(channel, who) as former,
    ):
        assert former.receive().HasField("registered")
        with stranger(channel, again) as later:
            assert later.receive().HasField("registered")
            with pytest.raises(grpc.RpcError) as ended:
                former.receive_end()
            assert isinstance(rpc_error(ended.value), ExecutorLostError)
            listed = [e.pid for e in con.executors() if e.id == who.executor_id]
            assert listed == [again.pid]


_UNLIKE = """
    import platform, runpy, sys

    platform.machine = lambda: "pdp-11"
    sys.argv = ["springald executor", *sys.argv[1:]]
    runpy.run_module("springald_executor", run_name="__main__")
"""


def test_executor_process_that_is_refused_ends_and_says_why(
    patient: springald.LocalCluster, tmp_path: Path
) -> None:
    """An executor process that is refused exits with 4, and tells both values on its way out."""
    options = ["--scheduler", address_of(patient), "--work-dir", str(tmp_path)]
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_UNLIKE), *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 4
    assert "ENGINE_MISMATCH" in ran.stderr
    assert "pdp-11" in ran.stderr
    assert registration().architecture in ran.stderr
