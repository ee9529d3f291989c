"""Uploads have a place, are removed when nobody needs them, and go with their session."""

from core_bench import Bench

from springald_scheduler.core.actions import (
    AnnounceUpload,
    AssignUpload,
    DefineStage,
    Forget,
    Persist,
    Refuse,
    RefuseUpload,
    ReleaseUpload,
)
from springald_scheduler.core.events import (
    ExecutorDisconnected,
    SessionClosed,
    SessionOpened,
    TimePassed,
    UploadRegistered,
    UploadReleased,
    UploadRequested,
    UploadStored,
)
from springald_scheduler.core.failures import (
    no_executor,
    session_not_found,
    upload_incomplete,
    upload_lost,
    upload_not_found,
    upload_used,
)
from springald_scheduler.core.records import UploadLocation
from springald_scheduler.core.states import JobState

STORED = UploadStored("e1", "a", "u1", rows=5, bytes=50, partition_count=2)


def register(bench: Bench) -> None:
    """Takes upload u1 of session s all the way to executor e1."""
    bench.handle(bench.executor(), SessionOpened("s"), UploadRequested("s", "u1", 40))
    bench.handle(STORED, UploadRegistered("s", "u1", b"schema"))


def test_upload_goes_to_the_executor_with_least_uploads(bench: Bench) -> None:
    """Uploads spread by their bytes."""
    bench.handle(SessionOpened("s"), bench.executor("e1"), bench.executor("e2"))
    requests = [UploadRequested("s", f"u{number}", 10) for number in (1, 2, 3)]
    assert bench.sends(*requests) == [
        AssignUpload(requests[0], "u1", "e1", "e1:1"),
        AssignUpload(requests[1], "u2", "e2", "e2:1"),
        AssignUpload(requests[2], "u3", "e1", "e1:1"),
    ]


def test_upload_is_announced_when_stored_and_persisted_when_registered(bench: Bench) -> None:
    """A table of uploaded rows exists once its rows are stored."""
    bench.handle(bench.executor(), SessionOpened("s"), UploadRequested("s", "u1", 40))
    register = UploadRegistered("s", "u1", b"schema")
    assert bench.handle(register) == [Refuse(register, upload_incomplete("u1"))]
    assert bench.handle(STORED) == [AnnounceUpload(STORED, "u1")]
    assert bench.ignored(STORED)
    (persist,) = bench.handle(register)
    assert isinstance(persist, Persist)
    assert bench.core.world.executors["e1"].upload_bytes == 50
    stranger = UploadRegistered("other", "u1", b"")
    assert bench.handle(stranger) == [Refuse(stranger, upload_not_found("u1"))]


def test_upload_becomes_one_table(bench: Bench) -> None:
    """The same again changes nothing; another name or other columns are refused."""
    bench.handle(bench.executor(), SessionOpened("s"), UploadRequested("s", "u1", 40), STORED)
    first = UploadRegistered("s", "u1", b"schema", "t")
    bench.handle(first)
    assert bench.ignored(first)
    for other in (
        UploadRegistered("s", "u1", b"schema", "u"),
        UploadRegistered("s", "u1", b"other", "t"),
    ):
        assert bench.handle(other) == [Refuse(other, upload_used("u1"))]


def test_upload_that_only_readers_keep_becomes_no_table(bench: Bench) -> None:
    """It goes with the last of them."""
    register(bench)
    bench.run(bench.stage(upload_ids=("u1",)))
    bench.handle(UploadReleased("s", "u1"))
    again = UploadRegistered("s", "u1", b"schema")
    assert bench.handle(again) == [Refuse(again, upload_used("u1"))]


def test_upload_without_executor_waits_then_fails(bench: Bench) -> None:
    """P3.5 for uploads: a wait has an end."""
    bench.handle(SessionOpened("s"), UploadRequested("s", "u1"))
    late = UploadRequested("s", "u2")
    bench.now_ms += 10_000
    bench.handle(late)
    passed = TimePassed()
    assert bench.wait(50_000) == [RefuseUpload(passed, "u1", no_executor(60_000))]
    came = bench.executor()
    assert AssignUpload(came, "u2", "e1", "e1:1") in bench.handle(came)
    stranger = UploadRequested("nobody", "u3")
    refusal = RefuseUpload(stranger, "u3", session_not_found("nobody"))
    assert bench.handle(stranger) == [refusal]


def test_upload_reaches_the_stages_that_read_it(bench: Bench) -> None:
    """Tasks learn where an upload lies with their stage."""
    register(bench)
    bench.run(bench.stage(upload_ids=("u1",)))
    assert bench.job().state is JobState.RUNNING
    assert bench.core.world.uploads["u1"].readers == {"j1"}
    bench.handle(bench.executor("e2"))
    bench.submit("o2")
    location = UploadLocation("u1", b"schema", 5, 50, "e1", "e1:1", 2)
    actions = bench.handle(bench.finished("j1/s1/t1#1"))
    assert bench.core.world.uploads["u1"].readers == set()
    assert not [each for each in actions if isinstance(each, ReleaseUpload)]
    assert bench.core.world.uploads["u1"].location == location


def test_upload_location_is_in_the_stage_definition(bench: Bench) -> None:
    """Tasks learn where an upload lies with their stage."""
    register(bench)
    bench.run(bench.stage(1), bench.stage(2, reads=(1,), upload_ids=("u1",)))
    actions = bench.handle(bench.finished("j1/s1/t1#1"))
    (define,) = [each for each in actions if isinstance(each, DefineStage)]
    assert define.uploads == (UploadLocation("u1", b"schema", 5, 50, "e1", "e1:1", 2),)


def test_upload_released_while_it_is_read_goes_with_its_last_reader(bench: Bench) -> None:
    """Dropping a table does not take the rows from under a query."""
    register(bench)
    bench.run(bench.stage(upload_ids=("u1",)))
    assert bench.sends(UploadReleased("s", "u1")) == []
    finished = bench.finished("j1/s1/t1#1")
    actions = bench.handle(finished)
    assert actions.index(Forget(finished, ("upload", "u1"))) < actions.index(
        ReleaseUpload(finished, "e1", "a", "u1")
    )
    assert bench.ignored(UploadReleased("s", "u1"))


def test_upload_goes_with_its_session(bench: Bench) -> None:
    """Everything of a session is released with it, uploads that wait too."""
    register(bench)
    bench.handle(UploadRequested("s", "u2"))
    closed = SessionClosed("s")
    actions = bench.handle(closed)
    for upload_id in ("u1", "u2"):
        assert ReleaseUpload(closed, "e1", "a", upload_id) in actions
    late = UploadStored("e1", "a", "u2", 1, 1, 1)
    assert ReleaseUpload(late, "e1", "a", "u2") in bench.handle(late)
    bench.handle(ExecutorDisconnected("e1", "a"), SessionOpened("s2"), UploadRequested("s2", "u4"))
    closed = SessionClosed("s2")
    assert RefuseUpload(closed, "u4", session_not_found("s2")) in bench.handle(closed)


def test_upload_on_a_lost_executor_fails_its_readers(bench: Bench) -> None:
    """Rows that are gone are said to be gone, to running jobs and to later ones."""
    register(bench)
    bench.handle(bench.executor("e2"), UploadRequested("s", "u2", 0))
    bench.run(bench.stage(1, upload_ids=("u1",)), bench.stage(2, reads=(1,)))
    # u2 was on its way to e2.
    gone = ExecutorDisconnected("e2", "a")
    actions = bench.handle(gone)
    assert [each.upload_id for each in actions if isinstance(each, RefuseUpload)] == ["u2"]
    bench.handle(ExecutorDisconnected("e1", "a"))
    failure = bench.job().failure
    assert failure is not None
    assert failure.code == "EXECUTOR_LOST"
    later = bench.run(bench.stage(upload_ids=("u1",)), operation_id="later")
    failure = bench.job(later).failure
    assert failure is not None
    assert failure.message == upload_lost("u1").message


def test_upload_of_the_wrong_executor_is_removed(bench: Bench) -> None:
    """Only the executor that was chosen can store an upload."""
    bench.handle(SessionOpened("s"), bench.executor("e1"), bench.executor("e2"))
    bench.handle(UploadRequested("s", "u1"))
    stray = UploadStored("e2", "a", "u1", 1, 1, 1)
    assert ReleaseUpload(stray, "e2", "a", "u1") in bench.handle(stray)
    assert bench.core.world.uploads["u1"].location is None
    assert bench.ignored(UploadStored("e1", "old", "u1", 1, 1, 1))
