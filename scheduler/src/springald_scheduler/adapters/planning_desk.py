"""What the core has planned, by threads of its own: statements, stages once more, sessions."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import structlog

from springald.errors import InternalError, SpringaldError
from springald_scheduler.adapters.lanes import Lanes
from springald_scheduler.adapters.ports import Planner
from springald_scheduler.codec.failures import failure_from_error
from springald_scheduler.core import actions as do
from springald_scheduler.core import events as on
from springald_scheduler.limits import PLANNER_THREADS_MAX
from springald_scheduler.planning.model import Answered, ClusterShape
from springald_scheduler.planning.replanning import replan

log = structlog.get_logger("springald.scheduler")


class PlanningDesk:
    """Has statements planned, those of a session one after the other.

    Args:
        planner: Does the work; the caller closes it, after the desk.
        shape: Tells what the cluster has to offer.
        tell: Told what came of it, with the session whose tables or settings may have changed.
    """

    def __init__(
        self,
        planner: Planner,
        shape: Callable[[], ClusterShape],
        tell: Callable[[tuple[on.Event, ...], str], None],
    ) -> None:
        self._planner = planner
        self._shape = shape
        self._tell = tell
        self._lanes = Lanes(PLANNER_THREADS_MAX, "springald-planning")
        # Running jobs do not wait behind statements that are slow to plan.
        self._replanning = Lanes(1, "springald-replanning")

    def plan(self, action: do.PlanJob) -> None:
        """Has a statement planned."""
        self._lanes.submit(action.session_id, partial(self._plan, action))

    def replan(self, action: do.ReplanStage) -> None:
        """Has a stage planned anew."""
        self._replanning.submit(action.job_id, partial(self._replan, action))

    def drop_session(self, session_id: str) -> None:
        """Has the planner forget a session, behind its statements."""
        # When the interpreter ends there are no workers any more, and nothing to drop.
        with suppress(RuntimeError):
            self._lanes.submit(session_id, partial(self._close_session, session_id))

    def tell_later(self, event: on.Event) -> None:
        """Tells an event on a thread of its own, behind what is done now."""
        self._lanes.submit("", partial(self._tell, (event,), ""))

    def close(self) -> None:
        """Ends the threads."""
        self._lanes.close()
        self._replanning.close()

    def _plan(self, action: do.PlanJob) -> None:
        events: list[on.Event]
        try:
            statement = action.plan or action.statement
            outcome = self._planner.run(action.session_id, statement, self._shape())
        except SpringaldError as error:
            events = [on.JobFailed(action.job_id, failure_from_error(error))]
        except BaseException as bug:  # An engine's panic is no Exception.
            log.exception("planner failed", job_id=action.job_id)
            failure = InternalError(f"a planner knows its own errors: got {bug!r}")
            events = [on.JobFailed(action.job_id, failure_from_error(failure))]
        else:
            if isinstance(outcome, Answered):
                session_id = action.session_id
                gone = [on.UploadReleased(session_id, each) for each in outcome.released_upload_ids]
                events = [on.JobAnswered(action.job_id, outcome.arrow_stream), *gone]
            else:
                events = [on.JobPlanned(action.job_id, outcome.graph)]
        self._tell(tuple(events), action.session_id)

    def _replan(self, action: do.ReplanStage) -> None:
        """Plans a stage anew; whatever goes wrong, the plan stays as it was."""
        stage = None
        try:
            stage = replan(action.stage, action.other, action.offer)
        except Exception:
            log.exception("stage not replanned", stage=f"{action.job_id}/s{action.stage.stage_id}")
        self._tell((on.StageReplanned(action.job_id, action.stage.stage_id, stage),), "")

    def _close_session(self, session_id: str) -> None:
        try:
            self._planner.close_session(session_id)
        except SpringaldError as error:
            log.warning("session not closed", session_id=session_id, error=str(error))
