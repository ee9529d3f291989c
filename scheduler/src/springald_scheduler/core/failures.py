"""A failure as the core keeps it, and the failures that the core itself finds."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, where, and whose fault it is.

    Attributes:
        code: A code of `springald.error.v1`, for example `EXECUTOR_LOST`.
        message: The rule broken, the value, the place, and what to do.
        retryable: True if the same request may succeed later without a change.
        node_id: The stage, task or attempt where it happened, or an empty string.
        executor_id: The executor on which it happened, or an empty string.
        engine_message: The engine's own words, unchanged.
        line: The line in the SQL text, from 1; 0 if there is none.
        column: The column in that line, from 1; 0 if there is none.
        fault: Who can do something about it; needed only for a code of a later version.
        attempts: How often a task was tried until this failure ended its job; 0 for once.
        cause: The first failure of that task, if this one is another.
    """

    code: str
    message: str
    retryable: bool = False
    node_id: str = ""
    executor_id: str = ""
    engine_message: str = ""
    line: int = 0
    column: int = 0
    fault: str = ""
    attempts: int = 0
    cause: "Failure | None" = None

    def at(self, *, node_id: str = "", executor_id: str = "") -> "Failure":
        """Returns the failure with its place filled in where it did not know it yet."""
        return replace(
            self,
            node_id=self.node_id or node_id,
            executor_id=self.executor_id or executor_id,
        )


def session_not_found(session_id: str) -> Failure:
    """The session does not exist, was closed, or expired."""
    return Failure(
        "SESSION_NOT_FOUND",
        f"a session must be open: got {session_id!r}, which was closed, expired or never was; "
        "open a new one",
    )


def job_not_found(name: str) -> Failure:
    """The job does not exist, or was released."""
    return Failure(
        "JOB_NOT_FOUND",
        f"a job must exist and not be released: got {name!r}; run the statement again",
    )


def operation_conflict(operation_id: str, job_id: str) -> Failure:
    """The operation id is in use for another statement."""
    return Failure(
        "OPERATION_CONFLICT",
        f"an operation id stands for one statement: {operation_id!r} is {job_id}, of another "
        "statement; choose a new id",
    )


def too_many_jobs(jobs_max: int) -> Failure:
    """The session has as many jobs as it may have."""
    return Failure(
        "OVERLOADED",
        f"a session has at most {jobs_max} jobs whose results are not released: got one more; "
        "release some",
        retryable=True,
    )


def job_cancelled(reason: str) -> Failure:
    """Somebody stopped the job."""
    return Failure("CANCELLED", f"the job was cancelled: {reason or 'on request'}")


def no_executor(waited_ms: int) -> Failure:
    """Nobody could run a task for too long."""
    return Failure(
        "NO_EXECUTOR",
        f"an executor must be there within {waited_ms / 1000:g} s: got none; start one and run "
        "the statement again",
        retryable=True,
    )


def executor_lost(executor_id: str, how: str, what: str) -> Failure:
    """An executor that the job needed went away."""
    return Failure(
        "EXECUTOR_LOST",
        f"executor {executor_id} must stay until the job is done: {how} while it {what}; "
        "run the statement again",
        retryable=True,
        executor_id=executor_id,
    )


def executor_replaced(executor_id: str, pid: int, host: str) -> Failure:
    """A process that was replaced comes back while the one in its place is there."""
    return Failure(
        "EXECUTOR_LOST",
        f"an executor is the only one of its id: got another process of {executor_id}, which "
        f"replaced this one (pid {pid} on {host}); stop one of them, or give it another id",
        retryable=True,
        executor_id=executor_id,
    )


def task_poisoned(attempt_id: str, count: int, what: str) -> Failure:
    """A task takes down what runs it."""
    return Failure(
        "TASK_LOST",
        f"a task must not take down {count} {what}: got {attempt_id}, which did; look at what it "
        "computes, and at the memory of executors",
        node_id=attempt_id,
    )


def too_many_restarts(job_id: str, restarts: int) -> Failure:
    """A job's rows were lost again and again, and cannot be made again in part."""
    return Failure(
        "INPUT_LOST",
        f"a job must come to its end after {restarts} beginnings: {job_id} lost rows once more; "
        "run the statement again",
        retryable=True,
        node_id=job_id,
    )


def plan_lost(job_id: str) -> Failure:
    """A job's plan was written down, and cannot be read any more."""
    return Failure(
        "SCHEDULER_RESTARTED",
        f"a job's plan outlives the scheduler's process: that of {job_id} cannot be read; "
        "run the statement again",
        retryable=True,
        node_id=job_id,
    )


def upload_lost(upload_id: str) -> Failure:
    """The rows of a table that a client uploaded are gone."""
    return Failure(
        "EXECUTOR_LOST",
        f"an uploaded table's rows must be on an executor: upload {upload_id} is on none; "
        "register the table again",
    )


def upload_not_found(upload_id: str) -> Failure:
    """The session has no such upload."""
    return Failure(
        "INVALID_ARGUMENT",
        f"an upload must be prepared in this session first: got upload id {upload_id!r}",
    )


def upload_incomplete(upload_id: str) -> Failure:
    """The rows of an upload have not all arrived."""
    return Failure(
        "INVALID_ARGUMENT",
        f"an upload must be stored before it becomes a table: {upload_id!r} is not; "
        "send its rows first",
    )


def upload_used(upload_id: str) -> Failure:
    """An upload is a table already."""
    return Failure(
        "INVALID_ARGUMENT",
        f"an upload becomes one table: {upload_id!r} is one already; send the rows again",
    )


def broken_promise(message: str, node_id: str = "") -> Failure:
    """Somebody sent what the protocol does not allow."""
    return Failure("INTERNAL", f"{message}; please report this", node_id=node_id)
