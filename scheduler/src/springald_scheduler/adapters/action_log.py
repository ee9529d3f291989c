"""What a scheduler did, as structured events with ids, for those who read its log."""

from collections.abc import Iterable

import structlog

from springald_scheduler.core import actions as do
from springald_scheduler.core.records import JobRecord

log = structlog.get_logger("springald.scheduler")


def log_actions(actions: Iterable[do.Action]) -> None:
    """Writes one line for each action that a reader of the log looks for."""
    for action in actions:
        match action:
            case do.Persist(record=JobRecord() as record):
                _log_job(record)
            case do.AcceptExecutor():
                log.info("executor accepted", executor_id=action.executor_id)
            case do.RefuseExecutor():
                failure = action.failure
                log.warning(
                    "executor refused",
                    executor_id=action.executor_id,
                    code=failure.code,
                    reason=failure.message,
                )
            case do.DisconnectExecutor():
                log.warning("executor given up", executor_id=action.executor_id, why=action.reason)
            case do.DropSession():
                log.info("session ended", session_id=action.session_id)
            case do.LaunchTask():
                attempt_id, executor_id = action.attempt_id, action.executor_id
                log.debug("task launched", attempt_id=attempt_id, executor_id=executor_id)
            case do.Ignore():
                log.debug("ignored", why=action.reason, what=type(action.cause).__name__)


def _log_job(record: JobRecord) -> None:
    fields = {"job_id": record.job_id, "session_id": record.session_id}
    fields["state"] = record.state.value
    if record.failure:
        failure = record.failure
        fields |= {"code": failure.code, "node_id": failure.node_id, "reason": failure.message}
    # Most jobs are over in some milliseconds, of which a line would be one.
    write = log.info if record.state.terminal else log.debug
    write("job", **fields)
