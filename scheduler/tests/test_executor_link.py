"""How messages to an executor are put together."""

import pytest

from springald.errors import ExecutorLostError
from springald.executor.v1.executor_pb2 import CancelTask, ConnectResponse, ReleaseJob
from springald_scheduler.adapters import executor_link
from springald_scheduler.adapters.executor_link import QueueLink
from springald_scheduler.adapters.executor_links import ExecutorLinks


def cancel(task_id: str) -> ConnectResponse:
    """A message."""
    return ConnectResponse(cancel_task=CancelTask(task_id=task_id))


def release(job_id: str) -> ConnectResponse:
    """A message that need not go at once."""
    return ConnectResponse(release_job=ReleaseJob(job_id=job_id))


def told(link: QueueLink) -> list[list[str]]:
    """Returns what a link sends, message by message."""
    sent = []
    for message in link.batches():
        is_batch = message.WhichOneof("message") == "batch"
        each = message.batch.messages if is_batch else [message]
        sent.append([one.cancel_task.task_id or one.release_job.job_id for one in each])
    return sent


def test_messages_that_wait_together_are_one() -> None:
    """They keep their order, and a message that waits alone is not wrapped (P4.6)."""
    link = QueueLink()
    for task_id in ("t1", "t2", "t3"):
        link.send(cancel(task_id))
    link.end(None)
    assert told(link) == [["t1", "t2", "t3"]]

    link = QueueLink()
    link.send(cancel("t1"))
    link.end(None)
    assert [message.WhichOneof("message") for message in link.batches()] == ["cancel_task"]


def test_message_that_is_held_goes_before_the_next() -> None:
    """What is in no hurry wakes nobody, and stays in order with the rest."""
    link = QueueLink()
    link.hold(release("j1"))
    link.send(cancel("t1"))
    link.hold(release("j2"))
    link.flush()
    link.hold(release("j3"))
    link.end(None)
    assert told(link) == [["j1", "t1", "j2", "j3"]]


def test_messages_that_are_large_together_go_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is a message, too, and has its size."""
    monkeypatch.setattr(executor_link, "BATCH_BYTES_MIN", 10)
    monkeypatch.setattr(executor_link, "BATCH_BYTES_MAX", 20)
    link = QueueLink()
    for task_id in ("t1", "t" * 100, "t2", "t3"):
        link.send(cancel(task_id))
    link.end(None)
    assert told(link) == [["t1"], ["t" * 100], ["t2", "t3"]]


def test_stream_that_ends_with_an_error_sends_what_was_before_it() -> None:
    """Messages in line are not lost."""
    link = QueueLink()
    link.send(cancel("t1"))
    link.send(cancel("t2"))
    link.end(ExecutorLostError("gone"))
    messages = link.batches()
    assert len(next(messages).batch.messages) == 2
    with pytest.raises(ExecutorLostError):
        next(messages)


def test_stream_that_ends_while_its_successor_waits_is_no_loss() -> None:
    """The core has heard of the successor, and would take its life for lost (P4.3)."""
    links = ExecutorLinks()
    first, second = QueueLink(), QueueLink()
    links.arrive("e1", "life", first)
    assert links.put("e1", "life") is first
    links.arrive("e1", "life", second)
    assert links.remove(first) is None
    assert links.put("e1", "life") is second
    assert links.remove(second) == ("e1", "life")


def test_executor_that_registers_again_while_it_is_accepted_keeps_its_later_stream() -> None:
    """Both registrations are accepted late, when only the second one's stream is left (P4.3)."""
    links = ExecutorLinks()
    first, second = QueueLink(), QueueLink()
    links.arrive("e1", "life", first)
    assert links.remove(first) is None
    links.arrive("e1", "life", second)
    assert not links.is_put("e1", "life")
    assert links.put("e1", "life") is second
    assert links.put("e1", "life") is None
    assert links.is_put("e1", "life")
    assert links.remove(second) == ("e1", "life")
    assert not links.is_put("e1", "life")


def test_stream_that_ended_before_it_was_accepted_leaves_none() -> None:
    """Whoever opened it has given the former one up."""
    links = ExecutorLinks()
    first, second = QueueLink(), QueueLink()
    links.arrive("e1", "life", first)
    assert links.put("e1", "life") is first
    links.arrive("e1", "life", second)
    assert links.remove(second) is None
    assert links.put("e1", "life") is None
    assert not links.is_put("e1", "life")
