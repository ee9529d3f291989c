"""Plans drawn at random, whole ones and broken ones, on a real cluster."""

from collections.abc import Iterator
from uuid import uuid4

import grpc
import plan_kit as k
import pytest
from datafusion import SessionContext
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from plan_generator import DEPTH_MAX, TABLE, Generator, asked
from simulate import rows_of

import springald
from cluster.broken_plans import BREAKS
from cluster.raw import SCHEDULER_SERVICE, RawSession, address_of, channel_to, rpc_error
from cluster.tables import SPREAD
from cluster.waiting import Stopwatch
from springald.codec.errors import error_from_proto
from springald.errors import MessageGarbledError, SpringaldError
from springald.plan.v1 import plan_pb2
from springald.results import plain_schema
from springald.scheduler.v1 import scheduler_pb2 as pb

_ENDED_S_MAX = 15.0
_QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.fixture(scope="module")
def engine() -> SessionContext:
    """One engine with the table."""
    context = SessionContext()
    context.from_arrow(TABLE, name="rows")
    return context


@pytest.fixture(scope="module", params=["cluster", "local"])
def connection(
    request: pytest.FixtureRequest, cluster: springald.LocalCluster
) -> Iterator[springald.Connection]:
    """A session with the table, whose queries are spread."""
    is_local = request.param == "local"
    with springald.connect(**SPREAD) if is_local else cluster.connect(**SPREAD) as made:
        made.register("rows", TABLE)
        yield made


@settings(max_examples=40, deadline=None, database=None, suppress_health_check=_QUIET)
@given(data=st.data())
def test_plan_drawn_at_random_on_a_cluster_gives_what_the_engine_gives(
    connection: springald.Connection, engine: SessionContext, data: st.DataObject
) -> None:
    """P8.1: executors answer a plan with the rows of the engine's own calls for the same thing."""
    drawn = Generator(data.draw, engine).relation(data.draw(st.integers(1, DEPTH_MAX)))
    want = asked(drawn.frame.to_arrow_table)
    got = connection.execute_plan(k.plan(drawn.plan)).result()
    assert plain_schema(got.schema).types == plain_schema(want.schema).types
    assert rows_of(got, in_order=drawn.ordered) == rows_of(want, in_order=drawn.ordered)


@pytest.mark.parametrize("name", BREAKS)
def test_plan_broken_at_random_ends_in_rows_or_in_an_error_with_a_code(
    patient: springald.LocalCluster, engine: SessionContext, name: str
) -> None:
    """P6.3, P8.5: whatever is sent as a plan ends soon, typed, and costs nobody else anything.

    An error is the caller's or the data's, never a bug. What does not decode is said to be garbled.
    """
    with channel_to(address_of(patient)) as channel:
        session = RawSession(channel)

        def check(data: st.DataObject) -> None:
            drawn = Generator(data.draw, engine).relation(data.draw(st.integers(1, 4)))
            sent = BREAKS[name](k.message(drawn.plan), data.draw)
            watch = Stopwatch()
            error = _ended(channel, session.id, sent)
            assert watch.elapsed_s < _ENDED_S_MAX
            if not _decodes(sent):
                assert isinstance(error, MessageGarbledError)
            if error is not None:
                assert error.fault in {"caller", "data"}, (error, error.engine_message)

        bounds = settings(
            max_examples=20,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=_QUIET,
        )
        _upload(session)
        bounds(given(st.data())(check))()
        session.close()
        assert [executor.is_alive for executor in patient.executors] == [True, True]


def _ended(channel: grpc.Channel, session_id: str, sent: bytes) -> SpringaldError | None:
    """Executes bytes in the place of a plan, to the end; returns how that failed."""
    request = pb.ExecuteRequest(session_id=session_id, operation_id=uuid4().hex)
    # Field 3 is the plan: its length, and whatever is to be taken for one.
    whole = request.SerializeToString() + b"\x1a" + _varint(len(sent)) + sent
    call: grpc.UnaryStreamMultiCallable[bytes, bytes]
    call = channel.unary_stream(f"{SCHEDULER_SERVICE}/Execute")
    try:
        *_, last = call(whole, timeout=_ENDED_S_MAX)
    except grpc.RpcError as failure:
        return rpc_error(failure)
    update = pb.ExecuteResponse.FromString(last).update
    return error_from_proto(update.error) if update.HasField("error") else None


def _upload(session: RawSession) -> None:
    """Makes the table of the raw session, from values."""
    columns = ", ".join(TABLE.column_names)
    rows = ", ".join(
        f"({', '.join('NULL' if value is None else repr(value) for value in row.values())})"
        for row in TABLE.to_pylist()
    )
    sql = f"CREATE VIEW rows AS SELECT * FROM (VALUES {rows}) AS given({columns})"
    session.result(sql, "rows")


def _decodes(sent: bytes) -> bool:
    try:
        plan_pb2.Plan.FromString(sent)
    except DecodeError:
        return False
    return True


def _varint(number: int) -> bytes:
    encoded = b""
    while number > 0x7F:
        encoded += bytes([number & 0x7F | 0x80])
        number >>= 7
    return encoded + bytes([number])
