"""How the partitions of a stage are dealt to tasks, now that its inputs are measured."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from springald_scheduler.core.graph import StageInput
from springald_scheduler.core.model import Job, StageRun, Task
from springald_scheduler.core.outputs import OutputTable
from springald_scheduler.core.records import InputPart
from springald_scheduler.core.world import World

SKEW_RATIO = 1.5
"""How many times a slot's fair share of the bytes a partition has at least to be split."""

_LEFT_AFTER_SPLIT_MAX = 0.75
"""How much of a partition the largest of its tasks may still read for the split to gain."""


@dataclass(frozen=True, slots=True)
class _Read:
    """An input that tasks read by partition, and the bytes of its partitions."""

    number: int
    leaf: StageInput
    table: OutputTable
    bytes: Sequence[int]

    def bytes_of(self, partitions: range) -> int:
        """Returns how many bytes some of the fragment's partitions read."""
        read = self.leaf.partitions_of(partitions)
        return sum(self.bytes[read.start : read.stop])


def deal_tasks(world: World, job: Job, run: StageRun) -> list[Task]:
    """Returns the tasks of a stage."""
    count, pool = run.stage.partition_count, world.pool
    if not run.stage.sliceable:
        return [Task(1, range(count), min(pool.largest, count))]
    # Partitions of one task share a hash build, so a task is as large as fits every executor.
    width = min(pool.smallest, count)
    even = [Task(0, each, len(each)) for each in _evenly(range(count), width)]
    tasks = _fewer(job, run, even) or _split(world, job, run, width) or even
    return [replace(task, number=number) for number, task in enumerate(tasks, start=1)]


def is_sliced(run: StageRun, leaf: StageInput) -> bool:
    """True if each task of a stage reads its own partitions of an input, not all of them."""
    return leaf.offset is not None and run.stage.sliceable


def output_table(run: StageRun) -> OutputTable:
    """Returns a finished stage's outputs by partition."""
    if run.table is None:
        run.table = OutputTable(run.locations, run.stage.output.partition_count)
    return run.table


def note_decision(job: Job, sentence: str) -> None:
    """Tells people what was decided about a job while it ran."""
    if job.graph:
        job.graph = replace(job.graph, decisions=(*job.graph.decisions, sentence))


def _evenly(partitions: range, width: int) -> Iterator[range]:
    for start in range(partitions.start, partitions.stop, width):
        yield range(start, min(start + width, partitions.stop))


def _bytes_sliced(job: Job, run: StageRun) -> int:
    leaves = [leaf for leaf in run.stage.inputs if is_sliced(run, leaf)]
    return sum(job.stages[leaf.stage_id].bytes_out for leaf in leaves)


def _reads(job: Job, run: StageRun) -> list[_Read]:
    reads = []
    for number, leaf in enumerate(run.stage.inputs):
        if is_sliced(run, leaf):
            table = output_table(job.stages[leaf.stage_id])
            reads.append(_Read(number, leaf, table, table.bytes_by_partition()))
    return reads


def _fewer(job: Job, run: StageRun, even: list[Task]) -> list[Task]:
    """Returns tasks of several partitions each, if these have few bytes; nothing otherwise."""
    target, total = run.stage.adaptive.task_bytes_target, _bytes_sliced(job, run)
    if not target or total > target * (len(even) - 1):
        return []
    wanted = max(1, -(-total // target))
    if wanted == 1:
        slices = [range(run.stage.partition_count)]
    else:
        reads = _reads(job, run)
        sizes = [
            sum(read.bytes_of(range(each, each + 1)) for read in reads)
            for each in range(run.stage.partition_count)
        ]
        slices = _runs(sizes, wanted)
    if len(slices) >= len(even):
        return []
    many = "1 task" if len(slices) == 1 else f"{len(slices)} tasks"
    sentence = f"stage {run.stage.stage_id} runs as {many} instead of {len(even)}"
    note_decision(job, f"{sentence}: it reads {total} bytes")
    return [Task(0, each, 1) for each in slices]


def _runs(sizes: Sequence[int], count: int) -> list[range]:
    """Returns at most so many runs of neighbours, of about equally many bytes each."""
    total, done, last = sum(sizes), 0, -1
    starts: list[int] = []
    for place, size in enumerate(sizes):
        # Where the middle of it lies, were the runs equally long.
        middle = min((2 * done + size) * count // max(2 * total, 1), count - 1)
        if middle != last:
            starts.append(place)
        last = middle
        done += size
    return [range(*each) for each in pairwise([*starts, len(sizes)])]


def _split(world: World, job: Job, run: StageRun, width: int) -> list[Task]:
    """Returns tasks that share the large partitions, if there are such; nothing otherwise."""
    adaptive = run.stage.adaptive
    total = _bytes_sliced(job, run) if adaptive.split_inputs else 0
    fair = max(total // max(world.pool.slots_total, 1), adaptive.split_bytes_min, 1)
    if total <= fair:
        return []
    reads, tasks, start, told = _reads(job, run), [], 0, []
    for partition in range(run.stage.partition_count):
        parts = _parts(run, reads, partition, fair)
        if parts:
            tasks += [Task(0, each, len(each)) for each in _evenly(range(start, partition), width)]
            tasks += [Task(0, range(partition, partition + 1), 1, part) for part in parts]
            told.append(f"partition {partition} in {len(parts)} parts")
            start = partition + 1
    if not told:
        return []
    rest = range(start, run.stage.partition_count)
    tasks += [Task(0, each, len(each)) for each in _evenly(rest, width)]
    sentence = f"stage {run.stage.stage_id} reads {', '.join(told)}"
    note_decision(job, f"{sentence}: they have most of {total} bytes")
    return tasks


def _parts(run: StageRun, reads: Sequence[_Read], partition: int, fair: int) -> list[InputPart]:
    """Returns the parts in which a partition is better read; none if it is not large."""
    place = range(partition, partition + 1)
    sizes = {read.number: read.bytes_of(place) for read in reads}
    whole = sum(sizes.values())
    if whole <= SKEW_RATIO * fair:
        return []
    splittable = [each for each in reads if each.number in run.stage.adaptive.split_inputs]
    read = max(splittable, key=lambda each: sizes[each.number], default=None)
    numbers = read.leaf.partitions_of(place) if read else ()
    if read is None or not numbers or not sizes[read.number]:
        return []
    outputs = [0] * read.table.outputs_count
    for number, _, size in read.table.of_partition(numbers[0]):
        outputs[number] = size
    runs = _runs(outputs, -(-sizes[read.number] // fair))
    largest = max(sum(outputs[each.start : each.stop]) for each in runs)
    if whole - sizes[read.number] + largest > _LEFT_AFTER_SPLIT_MAX * whole:
        return []
    return [InputPart(read.number, each) for each in runs]
