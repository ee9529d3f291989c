"""The scheduler's services on a port: bytes in, bytes out, and a typed error for everything else.

Handlers are made from the services' descriptors, and messages are decoded here rather than by gRPC,
so that one that does not decode ends in the same kind of error as any other.
"""

import errno
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol, Self, TypeAlias, TypeVar

import grpc
import structlog
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from springald.codec.errors import abort_rpc
from springald.errors import (
    AddressInUseError,
    InternalError,
    MessageGarbledError,
    OverloadedError,
    SpringaldError,
)
from springald.executor.v1 import executor_pb2
from springald.limits import BATCH_PROTOCOL_MINOR, MESSAGE_BYTES_MAX
from springald.scheduler.v1 import scheduler_pb2
from springald_scheduler.adapters.executor_link import ExecutorLink, QueueLink
from springald_scheduler.limits import (
    CALL_THREADS_MAX,
    PINGS_INTERVAL_MS_MIN,
    PROBE_ANSWER_MS_MAX,
    PROBE_INTERVAL_MS,
    STOP_MS_MAX,
    STREAMS_MAX,
)

log = structlog.get_logger("springald.grpc")

_OPTIONS: Final = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    # Two schedulers on one port would share its clients without a word.
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", PINGS_INTERVAL_MS_MIN),
    ("grpc.keepalive_permit_without_calls", 1),
    # A machine that lost its power closes no connection.
    ("grpc.keepalive_time_ms", PROBE_INTERVAL_MS),
    ("grpc.keepalive_timeout_ms", PROBE_ANSWER_MS_MAX),
]

_MessageT = TypeVar("_MessageT", bound=Message)

Handler: TypeAlias = "grpc.RpcMethodHandler[bytes, bytes]"


class ExecutorDesk(Protocol):
    """Where executors' messages go: the driver."""

    def receive(self, link: ExecutorLink, message: executor_pb2.ConnectRequest) -> None:
        """Takes in a message."""
        ...

    def disconnect(self, link: ExecutorLink, reason: str) -> None:
        """Takes in the end of a stream."""
        ...


class GrpcServer:
    """Serves clients and executors on one address, which it holds from the beginning.

    Calls that come before it serves wait.

    Args:
        bind: `host:port`; port 0 takes a free one.

    Raises:
        AddressInUseError: The address cannot be bound.

    Attributes:
        address: `host:port`, with the port that was taken.
    """

    def __init__(self, bind: str) -> None:
        self._desk: ExecutorDesk
        self._streams = threading.Semaphore(STREAMS_MAX)
        self._pool = ThreadPoolExecutor(STREAMS_MAX + CALL_THREADS_MAX, "springald-grpc")
        self._server = grpc.server(self._pool, options=_OPTIONS)
        self.address = self._bind(bind)

    def serve(self, api: object, desk: ExecutorDesk) -> None:
        """Begins to answer.

        Args:
            api: Answers clients: an object with a method for each call of SchedulerService.
            desk: Takes what executors say.
        """
        self._desk = desk
        service = scheduler_pb2.DESCRIPTOR.services_by_name["SchedulerService"]
        handlers = {method.name: self._handler(api, method) for method in service.methods}
        self._add(service, handlers)
        service = executor_pb2.DESCRIPTOR.services_by_name["ExecutorService"]
        connect: Handler = grpc.stream_stream_rpc_method_handler(self._connect)
        self._add(service, {"Connect": connect})
        self._server.start()

    def close(self) -> None:
        """Takes no more calls, gives running ones a moment, and frees the port."""
        self._server.stop(STOP_MS_MAX / 1000).wait()
        self._pool.shutdown()

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes it."""
        self.close()

    def _add(self, service: ServiceDescriptor, handlers: dict[str, Handler]) -> None:
        generic = grpc.method_handlers_generic_handler(service.full_name, handlers)
        self._server.add_generic_rpc_handlers([generic])

    def _bind(self, bind: str) -> str:
        host, _, wanted = bind.rpartition(":")
        reason = _refusal(host.strip("[]"), int(wanted))
        try:
            port = 0 if reason else self._server.add_insecure_port(bind)
        except RuntimeError as refusal:
            reason = str(refusal)
        if reason:
            raise AddressInUseError(
                f"an address must be one of this machine, and free to be served: {bind} is not "
                f"({reason}); stop what runs there, or choose another one"
            )
        return f"{host}:{port}"

    # Clients.

    def _handler(self, api: object, method: MethodDescriptor) -> Handler:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", method.name).lower()
        call = getattr(api, name)
        request_class = GetMessageClass(method.input_type)
        if method.server_streaming:
            return self._streaming_handler(call, request_class)

        def answer(data: bytes, context: grpc.ServicerContext) -> bytes:
            with _errors_to(context):
                response: Message = call(_decoded(request_class, data))
                return response.SerializeToString()
            raise AssertionError("errors end a call")

        return grpc.unary_unary_rpc_method_handler(answer)

    def _streaming_handler(
        self, call: Callable[[Message], Any], request_class: type[Message]
    ) -> Handler:
        def answer(data: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            with _errors_to(context), self._stream():
                updates = call(_decoded(request_class, data))
                try:
                    # A client that goes away ends the wait for news.
                    if not context.add_callback(updates.close):
                        return
                    for update in updates:
                        yield update.SerializeToString()
                finally:
                    updates.close()

        return grpc.unary_stream_rpc_method_handler(answer)

    # Executors.

    def _connect(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        link = QueueLink()
        with _errors_to(context), self._stream():
            reader = threading.Thread(
                target=self._read, args=(requests, link), name="springald-executor", daemon=True
            )
            reader.start()
            try:
                first = next(iter(link), None)
                if first is not None:
                    yield first.SerializeToString()
                for message in link.batches() if link.takes_batches else link:
                    yield message.SerializeToString()
            finally:
                self._desk.disconnect(link, "its stream ended")

    def _read(self, requests: Iterator[bytes], link: QueueLink) -> None:
        """Takes in what an executor sends, up to the end of its stream."""
        error: SpringaldError | None = None
        try:
            for data in requests:
                message = _decoded(executor_pb2.ConnectRequest, data)
                if message.WhichOneof("message") == "registration":
                    minor = message.registration.protocol_version.minor
                    link.takes_batches = minor >= BATCH_PROTOCOL_MINOR
                self._desk.receive(link, message)
        except SpringaldError as refusal:
            error = refusal
        except grpc.RpcError:
            pass  # The connection broke, which is one of the ways to end.
        except Exception as bug:
            log.exception("executor's message not handled")
            error = InternalError(f"the scheduler handles every message: got {bug!r}")
        self._desk.disconnect(link, "its stream ended" if error is None else str(error))
        link.end(error)

    def _stream(self) -> "_Place":
        return _Place(self._streams)


class _Place:
    """One of the streams that a server has threads for."""

    def __init__(self, places: threading.Semaphore) -> None:
        self._places = places

    def __enter__(self) -> None:
        if not self._places.acquire(blocking=False):
            raise OverloadedError(
                f"a scheduler has at most {STREAMS_MAX} streams: got one more; try again later"
            )

    def __exit__(self, *_: object) -> None:
        self._places.release()


class _errors_to:  # noqa: N801 - reads as a function
    """Ends a call with the error that is raised inside."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, raised: BaseException | None, __: object) -> None:
        if raised is None or isinstance(raised, GeneratorExit):
            return
        if not isinstance(raised, SpringaldError):
            log.error("call not handled", exc_info=raised)
            raised = InternalError(f"the scheduler knows its own errors: got {raised!r}")
        abort_rpc(self._context, raised)


def _refusal(host: str, port: int) -> str:
    """Returns why nobody can listen at an address: gRPC finds out too, and fills the screen."""
    reason = ""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as refusal:
        return refusal.strerror or str(refusal)
    for family, _, _, _, address in found:
        try:
            socket.create_server(address[:2], family=family).close()
        except OSError as refusal:
            reason = os.strerror(refusal.errno or 0)
            if refusal.errno == errno.EADDRINUSE:
                return reason
        else:
            return ""
    return reason


def _decoded(message_class: type[_MessageT], data: bytes) -> _MessageT:
    try:
        return message_class.FromString(data)
    except DecodeError as error:
        raise MessageGarbledError(
            f"a message must be a {message_class.DESCRIPTOR.full_name}: got {len(data)} bytes that "
            "do not decode"
        ) from error
