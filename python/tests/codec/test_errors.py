"""Errors cross the wire unchanged (P6.1), and a reader copes with what it does not know (P6.2)."""

import pickle
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager

import grpc
import pytest

from springald.codec.errors import (
    ERROR_TRAILER,
    abort_rpc,
    cut_text,
    error_from_proto,
    error_from_rpc,
    error_to_proto,
    status_for,
)
from springald.error.v1 import error_pb2
from springald.errors import (
    ERROR_BY_CODE,
    BugError,
    CallerError,
    ClusterError,
    DeadlineExceededError,
    ExecutorLostError,
    InternalError,
    MessageGarbledError,
    MessageTooLargeError,
    Position,
    ProtocolMismatchError,
    SchedulerUnavailableError,
    SpringaldError,
    SqlSyntaxError,
)

GROUPS = {"caller": 1, "data": 2, "cluster": 3, "bug": 4}


def fields(error: SpringaldError) -> tuple[object, ...]:
    """What must survive a journey."""
    return (
        type(error),
        error.code,
        error.fault,
        error.retryable,
        error.message,
        error.node_id,
        error.position,
        error.executor_id,
        error.engine_message,
    )


@pytest.mark.parametrize("kind", ERROR_BY_CODE.values(), ids=lambda kind: kind.code)
def test_error_of_each_code_crosses_unchanged(kind: type[SpringaldError]) -> None:
    """P6.1: every class of the tree comes back as itself, with all its fields."""
    error = kind(
        "rule: got ü",
        node_id="j7/s2/t14#1",
        position=Position(3, 9),
        executor_id="e1",
        engine_message="Arrow error: x",
    )
    message = error_pb2.Error.FromString(error_to_proto(error).SerializeToString())
    assert fields(error_from_proto(message)) == fields(error)


def test_codes_of_tree_and_proto_are_the_same() -> None:
    """P6.2: the proto's codes and the exception tree name the same things, each in its group."""
    codes = {name.removeprefix("CODE_"): number for name, number in error_pb2.Code.items()}
    assert codes.pop("UNSPECIFIED") == 0
    assert codes.keys() == ERROR_BY_CODE.keys()
    assert {code: GROUPS[kind.fault] for code, kind in ERROR_BY_CODE.items()} == {
        code: number // 100 for code, number in codes.items()
    }


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (error_pb2.FAULT_CALLER, CallerError),
        (error_pb2.FAULT_CLUSTER, ClusterError),
        (error_pb2.FAULT_UNSPECIFIED, BugError),
    ],
)
def test_error_of_unknown_code_goes_by_its_fault(
    fault: error_pb2.Fault.ValueType, kind: type[SpringaldError]
) -> None:
    """P6.2: a reader that does not know a code goes by fault and retryable, and passes it on."""
    number = error_pb2.Code.ValueType(387)
    message = error_pb2.Error(code=number, fault=fault, retryable=True, message="m")
    error = error_from_proto(message)
    assert (type(error), error.code, error.retryable) == (kind, "CODE_387", True)
    assert error_to_proto(error).code == 387
    assert fields(pickle.loads(pickle.dumps(error))) == fields(error)  # noqa: S301 - our own


def test_error_that_says_nothing_is_internal() -> None:
    """An unspecified code is read as CODE_INTERNAL."""
    error = error_from_proto(error_pb2.Error())
    assert type(error) is InternalError


def test_error_without_code_is_sent_unspecified() -> None:
    """An error that was raised from a group's class still travels."""
    assert error_to_proto(CallerError("m")).code == error_pb2.CODE_UNSPECIFIED


def test_engine_message_beyond_limit_is_cut() -> None:
    """Texts have limits; a cut one says how long it was."""
    message = error_to_proto(InternalError("m" * 40_000, engine_message="é" * 40_000))
    assert len(message.message.encode()) <= 16 * 1024
    assert len(message.engine_message.encode()) <= 16 * 1024
    assert message.engine_message.endswith("(cut from 80000 bytes)")
    assert cut_text("short", 100) == "short"


def test_every_error_has_a_status() -> None:
    """Each code maps to a gRPC status that is not OK."""
    statuses = {status_for(kind("m")) for kind in ERROR_BY_CODE.values()}
    assert grpc.StatusCode.OK not in statuses
    assert status_for(CallerError("m")) is grpc.StatusCode.INVALID_ARGUMENT


@contextmanager
def calling(error: Exception | None, trailer: bytes | None = None) -> Iterator[grpc.Channel]:
    """A server that answers /t/m with an error, and a channel to it."""

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        if isinstance(error, SpringaldError):
            abort_rpc(context, error)
        if trailer is not None:
            context.set_trailing_metadata(((ERROR_TRAILER, trailer),))
            context.abort(grpc.StatusCode.INTERNAL, "x")
        if error is not None:
            raise error
        return request

    def wait(request: bytes, context: grpc.ServicerContext) -> bytes:
        gone = threading.Event()
        context.add_callback(gone.set)
        gone.wait(30)
        return request

    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "m": grpc.unary_unary_rpc_method_handler(answer),
        "wait": grpc.unary_unary_rpc_method_handler(wait),
    }
    with futures.ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool, options=[("grpc.max_receive_message_length", 1024)])
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("t", handlers)])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
        server.stop(None).wait()


def failure_of(
    channel: grpc.Channel, method: str = "/t/m", request: bytes = b"", timeout_s: float = 30
) -> SpringaldError:
    """What a call to the server ends with."""
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=timeout_s)
    return error_from_rpc(caught.value)


def test_call_that_is_aborted_raises_the_same_error() -> None:
    """P6.1: over a real connection the caller gets the error that the server made."""
    error = SqlSyntaxError("unexpected token\n  SELEC 1\n  ^", position=Position(1, 1))
    with calling(error) as channel:
        assert fields(failure_of(channel)) == fields(error)


def test_call_with_long_error_still_carries_it() -> None:
    """Texts in metadata are cut to what gRPC lets through; codes and places never are."""
    error = ExecutorLostError("ü" * 20_000, node_id="j1/s1", engine_message="x" * 20_000)
    with calling(error) as channel:
        got = failure_of(channel)
    assert (type(got), got.node_id, got.retryable) == (ExecutorLostError, "j1/s1", True)


@pytest.mark.parametrize(
    ("error", "trailer", "kind"),
    [
        (RuntimeError("secret"), None, InternalError),
        (None, b"\xff\xff", MessageGarbledError),
    ],
)
def test_call_without_readable_trailer_goes_by_status(
    error: Exception | None, trailer: bytes | None, kind: type[SpringaldError]
) -> None:
    """A server that breaks without our trailer, or with a garbled one, is still a typed error."""
    with calling(error, trailer) as channel:
        assert type(failure_of(channel)) is kind


def test_call_that_fails_in_grpc_is_typed() -> None:
    """Oversized, unknown, late and unreachable calls each have their own error."""
    with calling(None) as channel:
        assert type(failure_of(channel, request=bytes(2000))) is MessageTooLargeError
        assert type(failure_of(channel, method="/t/other")) is ProtocolMismatchError
        assert type(failure_of(channel, "/t/wait", timeout_s=0.05)) is DeadlineExceededError
    with grpc.insecure_channel("127.0.0.1:1") as nobody:
        assert type(failure_of(nobody)) is SchedulerUnavailableError


class Unanswered(grpc.RpcError):
    """A call that ended without an answer."""

    def __init__(self, status: grpc.StatusCode, detail: str) -> None:
        super().__init__()
        self._status, self._detail = status, detail

    def code(self) -> grpc.StatusCode:
        """The status."""
        return self._status

    def details(self) -> str:
        """What gRPC says."""
        return self._detail

    def trailing_metadata(self) -> tuple[()]:
        """Nothing came."""
        return ()


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        (
            "last error: UNKNOWN: ipv4:1.2.3.4:1: Failed to connect: Connection refused",
            "got a refused connection; check that it runs",
        ),
        (
            "errors resolving a:1: [field:hostname lookup error:address lookup failed for a:1]",
            "got a host name that does not resolve; check the name",
        ),
        ("keepalive watchdog timeout", "got no sign of life on an open connection; its process"),
        ("something new", "got 'something new'; check that it runs at this address"),
    ],
)
def test_peer_that_cannot_be_reached_is_told_in_a_few_words(detail: str, told: str) -> None:
    """Of gRPC's words stays what a person can act on; what is not known is repeated."""
    error = error_from_rpc(Unanswered(grpc.StatusCode.UNAVAILABLE, detail), "the scheduler at a:1")
    assert type(error) is SchedulerUnavailableError
    assert error.message.startswith(f"the scheduler at a:1 must be reachable: {told}")


def test_call_without_an_answer_says_what_was_tried() -> None:
    """A deadline names the call and the time, and says what to look at."""
    failure = Unanswered(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
    error = error_from_rpc(failure, "the scheduler at a:1", "ListJobs within 60 s")
    assert type(error) is DeadlineExceededError
    assert (
        "the scheduler at a:1 must answer in time: got no answer to ListJobs within 60 s; its "
        in (error.message)
    )
