"""Runs a stage graph as the core decides, on executors that are played in this process.

Where `simulate` runs a graph as it was planned, here the core deals the tasks, leaves out stages
and has stages planned anew by what was measured. Each task sees only the rows it is told of.
"""

from collections import deque
from dataclasses import dataclass, field

import pyarrow as pa
from simulate import Partitions, Simulation, result_rows, run_task

from springald.engine.fragment import FileRange, needs, prepare
from springald_scheduler.core import actions as do
from springald_scheduler.core import events as on
from springald_scheduler.core.graph import StageGraph
from springald_scheduler.core.invariants import check_invariants
from springald_scheduler.core.model import Job
from springald_scheduler.core.scheduler import SchedulerCore
from springald_scheduler.core.sizes import Sizes
from springald_scheduler.core.states import JobState
from springald_scheduler.planning.replanning import replan

FACTS = on.ClusterFacts(1, "datafusion 55.0.0", "3.11", "x86_64", "fingerprint")


@dataclass
class CoreCluster:
    """A core, and executors with some slots each.

    Attributes:
        simulation: Where files are written.
        slots: The slots of each executor.
        job: The last job.
        rows_read: For each attempt, how many rows of exchanges it was told of.
    """

    simulation: Simulation
    slots: tuple[int, ...] = (1, 1)
    job: Job = field(init=False)
    rows_read: dict[str, int] = field(default_factory=dict)
    _core: SchedulerCore = field(init=False)
    _stages: dict[int, do.DefineStage] = field(default_factory=dict)
    _outputs: dict[str, Partitions] = field(default_factory=dict)

    def run(self, graph: StageGraph) -> pa.Table:
        """Runs a graph to its end and returns the rows of its last stage."""
        self._core = SchedulerCore(FACTS)
        pending: deque[on.Event] = deque([on.SessionOpened("s")])
        for number, slots in enumerate(self.slots, start=1):
            registered = on.ExecutorRegistered(f"e{number}", "a", FACTS, slots)
            pending.append(registered)
        pending.append(on.JobSubmitted("s", "o", "SELECT 1", b"d"))
        pending.append(on.JobPlanned("j1", graph))
        while pending:
            for action in self._core.handle(pending.popleft(), now_ms=1):
                pending.extend(self._carry_out(action))
            check_invariants(self._core.world)
        self.job = self._core.world.jobs["j1"]
        assert self.job.state is JobState.SUCCEEDED, self.job.failure
        last = self.job.stages[max(self.job.stages)]
        found = sorted(
            (partition, number, file)
            for number, output in enumerate(last.locations)
            for partition, files in self._outputs[output.attempt_id].items()
            for file in files
        )
        return result_rows(last.stage, [file for _, _, file in found])

    @property
    def decisions(self) -> tuple[str, ...]:
        """What was decided about the last job."""
        return self.job.graph.decisions if self.job.graph else ()

    def _carry_out(self, action: do.Action) -> list[on.Event]:
        match action:
            case do.DefineStage():
                self._stages[action.stage.stage_id] = action
            case do.LaunchTask():
                return [self._run(action)]
            case do.ReplanStage():
                stage = replan(action.stage, action.other, action.offer)
                return [on.StageReplanned(action.job_id, stage.stage_id, stage)]
        return []

    def _run(self, launch: do.LaunchTask) -> on.TaskFinished:
        defined = self._stages[launch.stage_id]
        stage = defined.stage
        told = [self._told(defined, launch, number) for number in range(len(stage.inputs))]
        payload = prepare(stage.fragment.payload, launch.partitions, told, self.simulation.uploads)
        for number, read in needs(stage.fragment.payload, launch.partitions).exchanges.items():
            asked = launch.slices[number].partitions if defined.sliced[number] else ()
            assert set(asked) <= set(read) if asked else True
        schema = pa.ipc.read_schema(pa.py_buffer(stage.schema))
        made: dict[int, list[pa.RecordBatch]] = {}
        settings = dict(defined.settings)
        for partition, batches in run_task(stage, list(launch.partitions), payload, settings):
            if batches:
                made.setdefault(partition, []).extend(batches)
        self._outputs[launch.attempt_id] = {
            partition: [self.simulation.write(schema, batches)]
            for partition, batches in made.items()
        }
        self.rows_read[launch.attempt_id] = sum(
            pa.ipc.open_file(file.path).read_all().num_rows
            for each in told
            for files in each.values()
            for file in files
        )
        sizes = Sizes.of(
            (partition, sum(each.num_rows for each in batches), _bytes(batches))
            for partition, batches in sorted(made.items())
        )
        life = (launch.executor_id, launch.incarnation, launch.attempt_id)
        return on.TaskFinished(*life, sizes)

    def _told(self, defined: do.DefineStage, launch: do.LaunchTask, number: int) -> Partitions:
        """Returns the files of an input, as far as the task is told of them."""
        outputs = defined.inputs[number]
        found: dict[int, list[FileRange]] = {}
        if not defined.sliced[number]:
            for output in outputs:
                for partition, files in self._outputs[output.attempt_id].items():
                    found.setdefault(partition, []).extend(files)
            return found
        told = launch.slices[number]
        for partition, sizes in zip(told.partitions, told.sizes, strict=True):
            for index, _, _ in sizes:
                made = self._outputs[outputs[index].attempt_id]
                found.setdefault(partition, []).extend(made[partition])
        return found


def _bytes(batches: list[pa.RecordBatch]) -> int:
    return sum(each.nbytes for each in batches)
