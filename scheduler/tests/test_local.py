"""Without a network: the same driver and the same calls, no socket, no child, few threads."""

import socket
import threading
from contextlib import closing

import psutil
import pytest
from scheduler_kit import (
    InProcessExecutor,
    execute_request,
    make_graph,
    make_stage,
    running,
    wait_until,
)

from springald.errors import SchedulerUnavailableError
from springald.scheduler.v1 import scheduler_pb2 as pb


def test_local_scheduler_runs_queries_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Local mode opens no socket and starts no process, and ends every thread."""

    def refuse(*_: object, **__: object) -> socket.socket:
        raise AssertionError("local mode opens no socket")

    monkeypatch.setattr(socket, "socket", refuse)
    before = set(threading.enumerate())
    with running(port=False) as scheduler:
        executor = InProcessExecutor(scheduler.driver, slots=2)
        stages = make_stage(1, 4, last=False), make_stage(2, 4, reads=(1,))
        scheduler.planner.script["q"] = make_graph(*stages)
        hello = pb.OpenSessionRequest(protocol_version=pb.ProtocolVersion(major=1))
        session_id = scheduler.api.open_session(hello).session_id
        with closing(scheduler.api.execute(execute_request(session_id, "q"))) as updates:
            last = [each.update for each in updates][-1]
        assert last.status == pb.JOB_STATUS_SUCCEEDED
        assert last.result.remote.rows == 4
        assert last.progress == pb.Progress(
            tasks_total=4, tasks_finished=4, stages_total=2, stages_finished=2
        )
        # The timer, one worker, and the executor's own.
        assert len(set(threading.enumerate()) - before) <= 3
        assert psutil.Process().children() == []
        scheduler.api.close_session(pb.CloseSessionRequest(session_id=session_id))
        kinds = [each.WhichOneof("message") for each in executor.messages]
        assert kinds.count("define_stage") == 2
        assert kinds[-1] == "release_job"
    assert executor.ended.is_set()
    executor.join()
    wait_until(lambda: set(threading.enumerate()) <= before, "all threads ended")


def test_updates_closed_by_another_thread_end() -> None:
    """A stream that waits for news ends when somebody closes it."""
    with running(port=False) as scheduler:
        hello = pb.OpenSessionRequest(protocol_version=pb.ProtocolVersion(major=1))
        session_id = scheduler.api.open_session(hello).session_id
        updates = scheduler.api.execute(execute_request(session_id))
        reason = "there is no executor"
        for each in updates:
            if reason in each.update.waiting_reason:
                break
        closer = threading.Thread(target=updates.close)
        closer.start()
        assert list(updates) == []
        closer.join()
        assert scheduler.core.world.jobs["j1"].watchers == 0


def test_scheduler_that_is_closed_refuses_calls() -> None:
    """A closed driver says so, and closing again does nothing."""
    with running(port=False) as scheduler:
        scheduler.driver.close()
        hello = pb.OpenSessionRequest(protocol_version=pb.ProtocolVersion(major=1))
        with pytest.raises(SchedulerUnavailableError):
            scheduler.api.open_session(hello)
        scheduler.driver.close()
