"""Parts of a result that are lost on their way: made again by the cluster, and taken up in between.

A result is one row after the other, whatever parts it comes in. Whoever has given out some rows can
go on behind them in parts that were made again, if the outputs up to there are what they were.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from springald.backoff import waits_s
from springald.client_limits import SCHEDULER_AWAY_MS_MAX
from springald.codec.errors import error_from_proto
from springald.errors import (
    ClusterError,
    InputLostError,
    InternalError,
    JobNotFoundError,
    NotLeaderError,
    SchedulerUnavailableError,
    SpringaldError,
    TicketExpiredError,
)
from springald.progress import JobStatus
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.transport import Stream, Transport

__all__ = [
    "Parts",
    "Restore",
    "ResultChangedError",
    "lost_outputs",
    "restored_parts",
    "rows_before",
]

Parts = Sequence[pb.ResultPart]
Restore = Callable[[Sequence[str], Callable[[Stream[pb.AttachJobResponse]], None]], Parts]
"""Has outputs made again and returns all parts; whoever may have to close its stream is told it."""

RESTORES_MAX: Final = 5
"""How often a reading has lost parts made again."""


class ResultChangedError(InputLostError):
    """Rows that were given out already are others in the result that was made again.

    Attributes:
        parts: The result as it is now, for whoever can begin again.
    """

    def __init__(self, parts: Parts) -> None:
        """Takes the parts."""
        super().__init__(
            "rows of a result that were lost and made again must go on where they broke off: got "
            "others before that; run the query again, or read it as a table"
        )
        self.parts = parts


def lost_outputs(error: SpringaldError, part: pb.ResultPart) -> list[str] | None:
    """Returns which outputs to ask for again after a part could not be read; None if it is no use.

    Args:
        error: Why it could not.
        part: The part.
    """
    if isinstance(error, TicketExpiredError):
        return []
    names = [output.task_id for output in part.outputs]
    if not names or isinstance(error, ResultChangedError):
        return None
    if not isinstance(error, ClusterError):
        return None
    return [error.node_id] if error.node_id in names else names


def restored_parts(
    transport: Transport,
    session_id: str,
    operation_id: str,
    lost: Sequence[str],
    hold: Callable[[Stream[pb.AttachJobResponse]], None],
) -> Parts:
    """Tells the scheduler of lost outputs and waits for the result that has them again.

    Rides through a scheduler that restarts, or that leads no more, as the job itself does.

    Raises:
        SpringaldError: They cannot be made again.
    """
    request = pb.AttachJobRequest(
        session_id=session_id, operation_id=operation_id, lost_task_ids=lost
    )
    waits = waits_s(SCHEDULER_AWAY_MS_MAX)
    while True:
        stream = transport.attach_job(request)
        hold(stream)
        try:
            return _parts_of(_last_update(stream, operation_id), operation_id)
        except (SchedulerUnavailableError, NotLeaderError):
            wait_s = next(waits, None)
            if wait_s is None:
                raise
            time.sleep(wait_s)
        finally:
            stream.close()


def _last_update(stream: Stream[pb.AttachJobResponse], operation_id: str) -> pb.JobUpdate:
    for response in stream:
        if JobStatus.from_proto(response.update.status).is_final:
            return response.update
    raise SchedulerUnavailableError(
        f"a job's stream must end with its last status: got the end of the stream of "
        f"{operation_id} before it"
    )


def _parts_of(update: pb.JobUpdate, operation_id: str) -> Parts:
    if update.HasField("error"):
        raise error_from_proto(update.error)
    if not update.result.remote.parts:
        raise JobNotFoundError(
            f"a result is there until it is released: got none of {operation_id}"
        )
    return update.result.remote.parts


def rows_before(former: Parts, now: Parts, rows: int) -> None:
    """Checks that the first rows of a result are what they were.

    Args:
        former: The parts that the rows came from.
        now: The parts as they are now.
        rows: How many rows were given out.

    Raises:
        ResultChangedError: They are not, or that is not known.
    """
    if not rows:
        return
    for before, after in zip(_outputs(former), _outputs(now), strict=False):
        if before.task_id != after.task_id:
            same = (_task(before), before.rows) == (_task(after), after.rows)
            if not (same and before.digest and before.digest == after.digest):
                raise ResultChangedError(now)
        rows -= before.rows
        if rows <= 0:
            return
    raise InternalError("a result has the rows that it gave out: got fewer when it was made again")


def _outputs(parts: Parts) -> Iterator[pb.ResultOutput]:
    for part in parts:
        yield from part.outputs


def _task(output: pb.ResultOutput) -> str:
    return output.task_id.partition("#")[0]
