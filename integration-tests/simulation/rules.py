"""What must hold whatever goes wrong, as the world outside of the cores sees it."""

from collections.abc import Iterable

from simulation.queries import Query
from springald_scheduler.core import actions as do
from springald_scheduler.core import events as on
from springald_scheduler.core.records import JobRecord, Key, StageRecord
from springald_scheduler.core.sizes import Sizes
from springald_scheduler.core.states import JobState, TaskState
from springald_scheduler.core.views import JobView
from springald_scheduler.core.world import World, attempt_name

Life = tuple[str, str]


class BrokenRuleError(AssertionError):
    """Something came about that never may."""


def hold(condition: bool, rule: str) -> None:  # noqa: FBT001 - reads like an assertion
    """Raises a rule as an error, unless a condition holds."""
    if not condition:
        raise BrokenRuleError(rule)


class Ledger:
    """Who was told what, and who read what: kept beside the cores and compared with them."""

    def __init__(self) -> None:
        self._sent_to: dict[str, tuple[Life, int]] = {}
        self._registrations: dict[Life, int] = {}
        self._dismissed: set[str] = set()
        self._finished: set[str] = set()
        self._missed: set[str] = set()
        self._sizes: dict[str, Sizes] = {}
        self.accepted: set[str] = set()
        self.read_by: dict[str, frozenset[str]] = {}
        self.content: dict[str, int] = {}
        self._kept_jobs: dict[tuple[str, str], set[object]] = {}
        self._acknowledged: dict[tuple[str, str], str] = {}
        self._adopts = False

    # What schedulers ask for.

    def note_restart(self) -> None:
        """Takes note that a scheduler begins with what an earlier one wrote down.

        What that one has not written down it need not have done.
        """
        self._registrations = {life: count + 1 for life, count in self._registrations.items()}
        self._dismissed.clear()
        self._finished.clear()
        self._missed.clear()
        self._adopts = True

    def _adopt(self, event: on.ExecutorRegistered) -> None:
        """Takes note of what an executor runs and keeps, which a scheduler may take on at first."""
        life = (event.executor_id, event.incarnation)
        for attempt in (*event.running_attempt_ids, *event.finished_attempt_ids):
            launched = self._sent_to.get(attempt)
            if launched and launched[0] == life:
                self._sent_to[attempt] = (life, self._registrations[life])

    def note_taken_up(self, world: World) -> None:
        """Takes note of outputs that are accepted because they were before, or came meanwhile."""
        for job in world.jobs.values():
            for stage_id, run in job.stages.items():
                for task in run.tasks:
                    if task.state is TaskState.FINISHED:
                        name = attempt_name(job.job_id, stage_id, task.number, task.attempt)
                        hold(name in self._sent_to, f"who is accepted was asked: got {name}")
                        # A job that has ended lets go of sizes.
                        known = None if job.state.terminal else self._sizes.get(name)
                        same = known is None or task.sizes == known
                        hold(same, f"what was accepted is as it was: got {name} {task.sizes}")
                        self._finished.add(name)
                        self.accepted.add(name)

    def note_missed(self, event: on.Event, world: World) -> None:
        """Takes note of an output that somebody could not read whom the scheduler listens to."""
        if isinstance(event, on.TaskFailed) and event.lost_attempt_id:
            executor = world.executors.get(event.executor_id)
            there = executor is not None and executor.incarnation == event.incarnation
            attempt = executor.running.get(event.attempt_id) if executor and there else None
            if attempt and not attempt.stopping:
                self._missed.add(event.lost_attempt_id)

    def note_action(self, action: do.Action) -> None:
        """Takes note of what an action makes true, when the core asks for it."""
        match action:
            case do.DefineStage():
                read = {each.attempt_id for outputs in action.inputs for each in outputs}
                again = read & self._missed
                hold(not again, f"nobody is sent to what was missed: got {sorted(again)}")
            case do.AcceptExecutor():
                life = (action.executor_id, action.incarnation)
                self._registrations[life] = self._registrations.get(life, 0) + 1
                if self._adopts and isinstance(action.cause, on.ExecutorRegistered):
                    self._adopt(action.cause)
            case do.DisconnectExecutor():
                self.note_departure(action.executor_id, action.incarnation)
            case do.LaunchTask():
                attempt = action.attempt_id
                hold(attempt not in self._sent_to, f"an attempt is launched once: got {attempt}")
                life = (action.executor_id, action.incarnation)
                self._sent_to[attempt] = (life, self._registrations.get(life, 0))
            case do.ServeClients():
                self._adopts = False
            case do.CancelTask():
                # A scheduler without state has names of its own, which strangers may run too.
                sent_to, _ = self._sent_to.get(action.attempt_id, (None, 0))
                if sent_to == (action.executor_id, action.incarnation):
                    self._dismissed.add(action.attempt_id)

    def note_departure(self, executor_id: str, incarnation: str) -> None:
        """Takes note that the scheduler gave up a life of an executor."""
        life = (executor_id, incarnation)
        self._registrations[life] = self._registrations.get(life, 0) + 1

    def note_report(self, event: on.Event, before: TaskState | None, world: World) -> None:
        """Checks that an output is accepted once, of whom it was asked of, and while it is."""
        if not isinstance(event, on.TaskFinished):
            return
        after = task_state(world, event.attempt_id)
        if after is not TaskState.FINISHED or before is TaskState.FINISHED:
            return
        attempt, life = event.attempt_id, (event.executor_id, event.incarnation)
        hold(attempt not in self._finished, f"an attempt is accepted once: got {attempt} again")
        hold(attempt not in self._dismissed, f"what was stopped is not accepted: got {attempt}")
        now = (life, self._registrations.get(life, 0))
        launched = self._sent_to.get(attempt)
        hold(launched == now, f"no late news is accepted: got {attempt} of {now}, not {launched}")
        self._finished.add(attempt)
        self._sizes[attempt] = event.sizes
        self.accepted.add(attempt)

    # What the store has.

    def note_record(self, record: object) -> None:
        """Takes note of what is durable."""
        if isinstance(record, JobRecord):
            name = (record.session_id, record.job_id)
            self._kept_jobs.setdefault(name, set()).add(record.state)

    def check_accepted(self, session_id: str, operation_id: str, job_id: str) -> None:
        """A statement is acknowledged when it is durable, and is one job."""
        known = self._acknowledged.setdefault((session_id, operation_id), job_id)
        hold(known == job_id, f"an operation is one job: got {job_id}, after {known}")
        hold((session_id, job_id) in self._kept_jobs, f"what is acknowledged is kept: {job_id}")

    def check_told(self, view: JobView) -> None:
        """P3.6: what a client is told of a job is durable, but for that it has begun to run."""
        states = self._kept_jobs.get((view.session_id, view.job_id), set())
        rule = f"what is told is kept: got {view.job_id} {view.state.value}"
        begun = view.state is JobState.RUNNING and JobState.QUEUED in states
        hold(view.released or view.state in states or begun, rule)

    def check_definition(self, action: do.DefineStage, records: dict[Key, object]) -> None:
        """P3.2: a stage reads accepted outputs of stages whose end is durable."""
        name = f"{action.job_id}/s{action.stage.stage_id}"
        for leaf, outputs in zip(action.stage.inputs, action.inputs, strict=True):
            record = records.get(("job", action.job_id, "stage", str(leaf.stage_id)))
            kept = isinstance(record, StageRecord) and record.ended
            hold(kept, f"{name} reads what is kept: got {leaf.stage_id}")
            for each in outputs:
                hold(each.attempt_id in self.accepted, f"{name} reads what is accepted: {each}")

    # What engines and clients read.

    def note_read(self, attempt_id: str, read: Iterable[str]) -> None:
        """Takes note of whose outputs an attempt has read."""
        self.read_by[attempt_id] = frozenset(read)
        for each in self.read_by[attempt_id]:
            hold(each in self.accepted, f"{attempt_id} reads what is accepted: got {each}")

    def check_answer(self, query: Query, rows: list[int], attempts: Iterable[str]) -> None:
        """The rows are right, and all who took part in them have read the same."""
        got = tuple(sorted(rows))
        if got != query.rows:
            missing = sorted(set(query.rows) - set(got))
            doubled = len(got) - len(set(got))
            hold(False, f"rows are right: {missing} are missing, {doubled} doubled of {len(got)}")  # noqa: FBT003
        seen: dict[str, str] = {}
        pending = list(attempts)
        done: set[str] = set()
        while pending:
            attempt = pending.pop()
            if attempt in done:
                continue
            done.add(attempt)
            task = attempt.partition("#")[0]
            other = seen.setdefault(task, attempt)
            same = self.content[attempt] == self.content[other]
            hold(same, f"all read the same of a task: {attempt} and {other} differ")
            pending.extend(self.read_by.get(attempt, ()))


def task_state(world: World, attempt_id: str) -> TaskState | None:
    """Returns the state of the task of an attempt, if it is the task's last one."""
    job_id, _, rest = attempt_id.partition("/s")
    stage, _, rest = rest.partition("/t")
    number, _, attempt = rest.partition("#")
    job = world.jobs.get(job_id)
    run = job.stages.get(int(stage)) if job else None
    if run is None or int(number) > len(run.tasks):
        return None
    task = run.tasks[int(number) - 1]
    return task.state if task.attempt == int(attempt) else None
