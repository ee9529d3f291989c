"""The limits that the core keeps to; the driver gives them their values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CoreLimits:
    """Times in milliseconds, and counts.

    Attributes:
        session_lease_ms: How long a session lives without a call.
        executor_silence_ms_max: How long an executor may be silent; None for without end.
        no_executor_ms_max: How long a job or upload waits while there is no executor.
        unwatched_job_ms_max: How long a running job lives while nobody watches it.
        session_jobs_max: How many jobs a session may have that are not released.
        jobs_remembered_max: How many released jobs can still be described.
        tasks_remembered_max: How many tasks those may have together; the last one may have more.
        executors_remembered_max: How many lost executors may come back to clean up.
        replaced_lives_max: How many lives that an executor has replaced are turned away.
        progress_interval_ms: How often news of progress alone is published, at most.
        task_attempts_max: How often a task may fail of what may pass before its job fails.
        task_engines_max: How many engine processes a task may take down.
        task_executors_max: How many executors a task may lose while they run it.
        task_inputs_max: How often a task may find an input lost.
        task_moves_max: How often a task may meet an executor that does not take it.
        task_outputs_max: How often a task may run again because its output is lost.
        job_restarts_max: How often a job may begin again as a whole.
        retry_first_ms: How long a task waits after its first failure; each further one takes four
            times as long.
        restore_ms_max: How long the jobs of an earlier process wait for its executors to come back.
        plan_held_ms: How long a job runs before its plan is written down, if it need not be.
        statement_characters_max: How much of an ended job's statement is kept.
    """

    session_lease_ms: int = 600_000
    executor_silence_ms_max: int | None = 10_000
    no_executor_ms_max: int = 60_000
    unwatched_job_ms_max: int = 60_000
    session_jobs_max: int = 10_000
    jobs_remembered_max: int = 1_000
    tasks_remembered_max: int = 200_000
    executors_remembered_max: int = 1_000
    replaced_lives_max: int = 8
    progress_interval_ms: int = 100
    task_attempts_max: int = 4
    task_engines_max: int = 3
    task_executors_max: int = 3
    task_inputs_max: int = 20
    task_moves_max: int = 20
    task_outputs_max: int = 20
    job_restarts_max: int = 2
    retry_first_ms: int = 100
    restore_ms_max: int = 3_000
    plan_held_ms: int = 50
    statement_characters_max: int = 1_000
