"""The core's one door: events in, ordered actions out."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from springald_scheduler.core import (
    events,
    executors,
    jobs,
    replanning,
    restoring,
    results,
    retries,
    sessions,
    tasks,
    uploads,
    writing,
)
from springald_scheduler.core.actions import Action
from springald_scheduler.core.alarms import AlarmKind
from springald_scheduler.core.events import ClusterFacts, Event
from springald_scheduler.core.limits import CoreLimits
from springald_scheduler.core.news import publish_news
from springald_scheduler.core.placement import place_tasks
from springald_scheduler.core.records import Record
from springald_scheduler.core.world import World

_ON_EVENT: Final[dict[type[Event], Callable[[World, Any], None]]] = {
    events.SchedulerStarted: restoring.on_scheduler_started,
    events.SessionChanged: sessions.on_session_changed,
    events.SessionOpened: sessions.on_session_opened,
    events.SessionSeen: sessions.on_session_seen,
    events.SessionClosed: sessions.on_session_closed,
    events.JobSubmitted: jobs.on_job_submitted,
    events.JobPlanned: jobs.on_job_planned,
    events.StageReplanned: replanning.on_stage_replanned,
    events.JobAnswered: jobs.on_job_answered,
    events.JobFailed: jobs.on_job_failed,
    events.JobWatched: jobs.on_job_watched,
    events.JobUnwatched: jobs.on_job_unwatched,
    events.JobCancelRequested: jobs.on_job_cancel_requested,
    events.JobReleased: jobs.on_job_released,
    events.ResultLost: results.on_result_lost,
    events.ExecutorRegistered: executors.on_executor_registered,
    events.ExecutorHeard: executors.on_executor_heard,
    events.ExecutorDisconnected: executors.on_executor_disconnected,
    events.ExecutorDrainRequested: executors.on_executor_drain_requested,
    events.TaskStarted: tasks.on_task_started,
    events.TaskFinished: tasks.on_task_finished,
    events.TaskFailed: tasks.on_task_failed,
    events.UploadRequested: uploads.on_upload_requested,
    events.UploadStored: uploads.on_upload_stored,
    events.UploadRegistered: uploads.on_upload_registered,
    events.UploadReleased: uploads.on_upload_released,
}

_ON_ALARM: Final[dict[AlarmKind, Callable[[World, str], None]]] = {
    AlarmKind.SESSION: sessions.on_session_due,
    AlarmKind.EXECUTOR: executors.on_executor_due,
    AlarmKind.STRANDED: jobs.on_job_stranded_due,
    AlarmKind.UNWATCHED: jobs.on_job_unwatched_due,
    AlarmKind.PROGRESS: lambda world, job_id: world.touch(world.jobs[job_id]),
    AlarmKind.UPLOAD: uploads.on_upload_due,
    AlarmKind.RESTORE: restoring.on_restore_due,
    AlarmKind.RETRY: retries.on_task_rested,
    AlarmKind.WRITE: writing.on_write_due,
}


_REPORTS: Final = (
    events.TaskStarted,
    events.TaskFinished,
    events.TaskFailed,
    events.UploadStored,
)


class SchedulerCore:
    """Decides what a scheduler does. It acts on nothing and has no clock.

    Two cores that are told the same events at the same times ask for the same actions.

    Args:
        facts: What executors must agree on with this scheduler.
        limits: The limits; by default those of the protocol.
        records: What an earlier process wrote down, if it is to be taken up.

    Example:
        >>> from springald_scheduler.core.events import SessionOpened
        >>> facts = ClusterFacts(1, "datafusion 55.0.0", "3.11", "x86_64", "f")
        >>> core = SchedulerCore(facts)
        >>> [action.record.key for action in core.handle(SessionOpened("s1"), now_ms=0)]
        [('session', 's1')]
        >>> core.wake_ms
        600000
    """

    def __init__(
        self,
        facts: ClusterFacts,
        limits: CoreLimits | None = None,
        records: Iterable[Record] | None = None,
    ) -> None:
        self.world = World(facts, limits or CoreLimits())
        if records is not None:
            restoring.remember(self.world, records)

    def handle(self, *happened: Event, now_ms: int) -> list[Action]:
        """Takes in events, one after the other, and returns what is to be done, in order.

        Args:
            happened: The events.
            now_ms: The time in milliseconds, on a clock that never goes back.

        Returns:
            The actions. A `Persist` stands before whatever tells somebody what it makes true.

        Raises:
            ImpossibleTransitionError: The core has a bug.
        """
        world = self.world
        world.now_ms = max(now_ms, world.now_ms)
        world.actions = []
        for event in happened:
            self._handle(event)
            replay, world.replay = world.replay, []
            for earlier in replay:
                self._handle(earlier)
        return world.actions

    def _handle(self, event: Event) -> None:
        world = self.world
        world.cause = event
        if isinstance(event, events.TimePassed):
            self._ring_alarms()
        elif world.restoring and isinstance(event, _REPORTS):
            world.restoring.reports.append(event)
        else:
            _ON_EVENT[type(event)](world, event)
        place_tasks(world)
        publish_news(world)

    @property
    def wake_ms(self) -> int | None:
        """When to tell the core that time passed; None if nothing is due ever."""
        return self.world.alarms.next_ms

    def _ring_alarms(self) -> None:
        # One at a time: what comes about at one may clear the next.
        while alarm := self.world.alarms.take_due(self.world.now_ms):
            kind, subject = alarm
            _ON_ALARM[kind](self.world, subject)
