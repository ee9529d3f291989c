"""What a task is told of an input that is sliced: its own partitions, and nothing of the others."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from executor_kit import Bench, reads, stage_of

from springald.errors import MessageGarbledError
from springald.executor.v1 import executor_pb2 as pb
from springald.physical.v1 import physical_pb2 as physical
from springald_executor.codec.events import event_from_proto
from springald_executor.codec.sizes import partitions_from_proto, sizes_to_proto, slice_from_proto
from springald_executor.codec.stages import stage_from_proto
from springald_executor.core import actions as ac
from springald_executor.core import events as ev
from springald_executor.core.agent import Agent
from springald_executor.core.model import (
    Block,
    ExchangeKind,
    Fragment,
    FragmentFormat,
    InputDefinition,
    InputSlice,
    LocalInput,
    OutputLocation,
    Partition,
    RemoteInput,
    StageDefinition,
    StoredFile,
    TaskInput,
)
from springald_executor.core.records import Profile
from springald_executor.engine.runner import TaskError

TASK = "j1/s2/t1#1"


def launched(executor_id: str, *slices: InputSlice) -> list[ac.Action]:
    """What an executor `e1` does about a task that reads two outputs of another one's, sliced."""
    launch = ev.TaskLaunched(TASK, "j1", 2, (3,), 1, slices)
    return agent_with_stage(executor_id).handle(launch, 0)


def agent_with_stage(executor_id: str) -> Agent:
    """An executor `e1` that knows a stage which reads two outputs, sliced."""
    places = tuple(OutputLocation(f"j1/s1/t{n}#1", executor_id, "h:1", ()) for n in (1, 2))
    inputs = (InputDefinition(ExchangeKind.HASH, places, sliced=True),)
    fragment = Fragment(FragmentFormat.PHYSICAL_PLAN, b"plan", "v")
    stage = StageDefinition("j1", 2, fragment, inputs, ExchangeKind.HASH, 2, b"")
    agent = Agent(Profile("e1", 1, 1_000, 8_000, 1))
    agent.begin()
    for event in (ev.Registered("c1", ("/",)), ev.EngineReady(1), ev.StageDefined(stage)):
        agent.handle(event, 0)
    return agent


def test_task_is_told_the_partitions_of_its_launch() -> None:
    """Outputs are fetched as far as the launch says that they hold what the task reads."""
    run, _ = launched("e2", InputSlice((3,), {1: (Partition(3, 5, 50),)}))
    assert isinstance(run, ac.RunTask)
    second = RemoteInput("j1/s1/t2#1", "e2", "h:1", (Partition(3, 5, 50),))
    assert run.request.inputs == (TaskInput(ExchangeKind.HASH, (second,), (3,)),)
    assert not run.request.stage.inputs


def test_output_without_rows_for_a_task_need_not_be_there() -> None:
    """Only what holds rows of the task's partitions can be lost for it."""
    (failed,) = launched("e1", InputSlice((3,), {1: (Partition(3, 5, 50),)}))
    assert isinstance(failed, ac.TellTaskFailed)
    assert (failed.failure.code, failed.failure.lost_task_id) == ("INPUT_LOST", "j1/s1/t2#1")
    run, _ = launched("e1", InputSlice((3,), {}))
    assert isinstance(run, ac.RunTask)


def test_output_that_lies_here_is_handed_over_as_far_as_it_is_read() -> None:
    """A task of a wide shuffle is not sent where the blocks of all the other tasks lie."""
    blocks: dict[int, tuple[Block, ...]]
    blocks = {number: (Block(number, number, number + 1, 1, 0),) for number in range(9)}
    file = StoredFile("f", 9, in_memory=False, blocks=blocks)
    assert file.only([3, 20]).blocks == {3: blocks[3]}
    agent = agent_with_stage("e1")
    agent.shelf.put_output("j1", "j1/s1/t2#1", file)
    told = InputSlice((3,), {1: (Partition(3, 1, 1),)})
    run, _ = agent.handle(ev.TaskLaunched(TASK, "j1", 2, (3,), 1, (told,)), 0)
    assert isinstance(run, ac.RunTask)
    assert run.request.inputs[0].outputs == (LocalInput("j1/s1/t2#1", file.only([3])),)


def test_launch_that_tells_nothing_of_a_sliced_input_fails() -> None:
    """A task never takes an input that it was not told of for an empty one."""
    (failed,) = launched("e2")
    assert isinstance(failed, ac.TellTaskFailed)
    assert failed.failure.code == "INTERNAL"


def test_task_that_reads_more_than_it_was_told_fails(tmp_path: Path) -> None:
    """Rows that nobody told of are missed loudly."""
    bench, schema = Bench(tmp_path), pa.schema([("k", pa.int64())])
    request = bench.request(stage_of(reads(schema, 4), schema), [1], [(ExchangeKind.HASH, [])])
    (unknown,) = request.inputs
    bench.run(replace(request, inputs=(replace(unknown, told=(1,)),)))
    with pytest.raises(TaskError, match="a task is told of all that it reads"):
        bench.run(replace(request, inputs=(replace(unknown, told=(0, 2)),)))


def test_launch_brings_what_each_output_holds() -> None:
    """Columns by partition become partitions by output; entries without rows are none."""
    sizes = [pb.Sizes(rows=[1, 0], bytes=[10, 0]), pb.Sizes(numbers=[1], rows=[2], bytes=[20])]
    message = pb.LaunchTask(slices=[pb.InputSlice(partitions=[4, 5], sizes=sizes)])
    event = event_from_proto(pb.ConnectResponse(launch_task=message))
    assert isinstance(event, ev.TaskLaunched)
    outputs: dict[int, tuple[Partition, ...]]
    outputs = {0: (Partition(4, 1, 10),), 1: (Partition(5, 2, 20),)}
    assert event.slices == (InputSlice((4, 5), outputs),)


@pytest.mark.parametrize(
    "message",
    [
        pb.InputSlice(partitions=[1]),
        pb.InputSlice(partitions=[1], sizes=[pb.Sizes(rows=[1])]),
        pb.InputSlice(partitions=[1], sizes=[pb.Sizes(numbers=[1, 2], rows=[1], bytes=[1])]),
    ],
)
def test_slice_with_missing_parts_is_garbled(message: pb.InputSlice) -> None:
    """Sizes of one partition must not be taken for those of another."""
    with pytest.raises(MessageGarbledError):
        slice_from_proto(message)


@pytest.mark.parametrize(("numbers", "listed"), [((0, 1, 3), False), ((1,), False), ((9,), True)])
def test_sizes_are_written_as_they_are_shortest(numbers: tuple[int, ...], listed: bool) -> None:  # noqa: FBT001
    """Numbers are left out where most partitions have rows, and nothing is lost by it."""
    partitions = tuple(Partition(number, number + 1, 10) for number in numbers)
    message = sizes_to_proto(partitions)
    assert bool(message.numbers) is listed
    assert partitions_from_proto(message) == partitions


def test_definition_is_read_in_either_form() -> None:
    """Outputs with a message for each partition, as they were told before, are read as well."""
    stage = physical.Stage(
        stage_id=2,
        fragment=physical.EngineFragment(format=physical.FRAGMENT_FORMAT_PHYSICAL_PLAN),
        inputs=[physical.StageInput(stage_id=1, kind=physical.EXCHANGE_KIND_HASH)],
        output=physical.Exchange(kind=physical.EXCHANGE_KIND_RESULT),
    )
    old = pb.OutputLocation(
        task_id="t",
        executor_id="e",
        flight_address="h:1",
        partitions=[physical.PartitionStatistics(partition=4, rows=5, bytes=6)],
    )
    sizes = pb.Sizes(numbers=[4], rows=[5], bytes=[6])
    new = pb.OutputSource(task_id="t", executor_id="e", flight_address="h:1", sizes=sizes)
    place = OutputLocation("t", "e", "h:1", (Partition(4, 5, 6),))
    for message in (
        pb.DefineStage(stage=stage, inputs=[pb.InputLocations(outputs=[old])]),
        pb.DefineStage(stage=stage, sources=[pb.InputSources(outputs=[new])]),
    ):
        assert stage_from_proto(message).inputs == (InputDefinition(ExchangeKind.HASH, (place,)),)
    sliced = pb.DefineStage(stage=stage, sources=[pb.InputSources(outputs=[new], sliced=True)])
    assert stage_from_proto(sliced).inputs[0].sliced
