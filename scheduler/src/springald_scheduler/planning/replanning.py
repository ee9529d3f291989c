"""Makes one stage of two, so that a join broadcasts its build side and the probe side stays.

Nothing but messages is edited: the operators, their order and the rows' types stay as the engine
planned them, so it needs neither the session nor the engine, and takes a fraction of a millisecond.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.fragment import exchange_path
from springald.engine.modes import JoinMode
from springald.engine.plan_view import PlanNode
from springald.engine.reading import read_offsets
from springald.engine.slicing import partition_count
from springald.errors import UnsupportedError
from springald.limits import MESSAGE_BYTES_MAX
from springald_scheduler.core.graph import (
    Adaptive,
    BroadcastOffer,
    ExchangeKind,
    Operator,
    Stage,
    StageInput,
)
from springald_scheduler.planning.adaptive import body_of, input_read, path_to_join


@dataclass(slots=True)
class _Origins:
    """Which operator and which input a node of the new fragment was, by its identity."""

    operators: dict[int, Operator]
    inputs: dict[int, tuple[Stage, int]]

    def add(self, stage: Stage, root: PlanNode) -> None:
        for node in root.walk():
            if 0 <= node.position < len(stage.operators):
                self.operators[id(node)] = stage.operators[node.position]
            number = input_read(node)
            if number is not None:
                self.inputs[id(node)] = (stage, number)


def merge_stages(stage: Stage, probe: Stage, offer: BroadcastOffer) -> Stage:
    """Returns a stage that takes in the one that it reads as the probe side of a join.

    Args:
        stage: The stage with the join.
        probe: The stage that makes the probe side.
        offer: Which inputs are the sides.

    Raises:
        UnsupportedError: The fragments are not what the offer says, or too large together.
    """
    root, taken = pv.parse(stage.fragment.payload), pv.parse(probe.fragment.payload)
    origins = _Origins({}, {})
    origins.add(stage, root)
    origins.add(probe, taken)
    path = path_to_join(body_of(root))
    if not path:
        raise UnsupportedError(f"a stage with an offer has a join: stage {stage.stage_id} has none")
    join = path[-1]
    _take_in(join, offer.probe_input, taken)
    for leaf in join.children[0].walk():
        if input_read(leaf) is not None:
            _read_whole(leaf)
    join.body.partition_mode = JoinMode.COLLECT_LEFT
    _rename_join(join, origins)
    inputs, places = _number_inputs(root, origins)
    payload = pv.serialize(root)
    if len(payload) > MESSAGE_BYTES_MAX // 2:
        message = f"a fragment has at most {MESSAGE_BYTES_MAX // 2} bytes"
        raise UnsupportedError(f"{message}: got {len(payload)}")
    partitions = partition_count(body_of(root))
    output = stage.output
    if output.kind is ExchangeKind.RESULT:
        output = replace(output, partition_count=partitions)
    return replace(
        stage,
        fragment=replace(stage.fragment, payload=payload),
        inputs=inputs,
        output=output,
        partition_count=partitions,
        operators=_operators(stage.stage_id, root, origins),
        upload_ids=tuple(sorted({*stage.upload_ids, *probe.upload_ids})),
        adaptive=_adaptive(stage, probe, offer, places),
        after=tuple(sorted({*stage.after, *probe.after})),
    )


def _take_in(join: PlanNode, number: int, taken: PlanNode) -> None:
    """Puts a fragment in the place of the leaf that read its output.

    Views and dictionaries were turned into plain values on one side of the exchange and back on
    the other; if so, both projections go.
    """
    converts = taken.kind == "projection"
    parent, place = join, 1
    while input_read(parent.children[place]) is None:
        below = parent.children[place]
        if converts and below.children and input_read(below.children[0]) == number:
            break
        parent, place = below, 0
        if not parent.children:
            raise UnsupportedError(f"a join reads what its offer says: input {number} is not there")
    parent.children[place] = body_of(taken)


def _read_whole(leaf: PlanNode) -> None:
    """Makes one partition of all that a leaf reads."""
    conf = pv.scan_conf(leaf)
    files = [file for group in conf.file_groups for file in group.files]
    group = pb.FileGroup(files=files)
    del conf.file_groups[:]
    conf.file_groups.append(group)
    conf.ClearField("output_partitioning")
    leaf.body = pb.FileScanNode(base_conf=conf.SerializeToString())


def _rename_join(join: PlanNode, origins: _Origins) -> None:
    operator = origins.operators.get(id(join))
    if operator:
        detail = operator.detail.replace("mode=Partitioned", "mode=CollectLeft", 1)
        origins.operators[id(join)] = replace(operator, detail=detail)


def _number_inputs(
    root: PlanNode, origins: _Origins
) -> tuple[tuple[StageInput, ...], dict[tuple[int, int], int]]:
    """Numbers the inputs of the new fragment; returns them, and where they were before."""
    inputs: list[StageInput] = []
    places: dict[tuple[int, int], int] = {}
    offsets = read_offsets(root)
    for leaf in root.walk():
        if id(leaf) not in origins.inputs:
            continue
        origin, number = origins.inputs[id(leaf)]
        conf = pv.scan_conf(leaf)
        partition = 0
        for group in conf.file_groups:
            for file in group.files:
                file.path = exchange_path(len(inputs), partition)
                partition += 1
        leaf.body = pb.FileScanNode(base_conf=conf.SerializeToString())
        whole = len(conf.file_groups) != partition
        offset = None if whole else offsets[id(leaf)]
        places[origin.stage_id, number] = len(inputs)
        inputs.append(replace(origin.inputs[number], offset=offset))
    return tuple(inputs), places


def _operators(stage_id: int, root: PlanNode, origins: _Origins) -> tuple[Operator, ...]:
    nodes = list(root.walk())
    names = {id(node): f"s{stage_id}/o{place}" for place, node in enumerate(nodes)}
    unknown = Operator("", "", "", ())
    return tuple(
        replace(
            origins.operators.get(id(node), unknown),
            node_id=names[id(node)],
            input_node_ids=tuple(names[id(child)] for child in node.children),
        )
        for node in nodes
    )


def _adaptive(
    stage: Stage, probe: Stage, offer: BroadcastOffer, places: dict[tuple[int, int], int]
) -> Adaptive:
    """Returns what may still change: what concerned the probe side concerns what it reads."""
    own, its = stage.adaptive, probe.adaptive

    def numbers(chosen: Callable[[Adaptive], tuple[int, ...]]) -> tuple[int, ...]:
        kept = {places[stage.stage_id, each] for each in chosen(own) if each != offer.probe_input}
        if offer.probe_input in chosen(own):
            kept |= {places[probe.stage_id, each] for each in chosen(its)}
        return tuple(sorted(kept))

    through = {places[probe.stage_id, each] for each in its.split_inputs}
    return Adaptive(
        task_bytes_target=its.task_bytes_target,
        emptied_by=numbers(lambda each: each.emptied_by),
        split_inputs=tuple(sorted(through)),
        split_bytes_min=its.split_bytes_min,
        broadcasts=tuple(
            replace(
                each,
                build_inputs=tuple(places[probe.stage_id, number] for number in each.build_inputs),
                probe_input=places[probe.stage_id, each.probe_input],
            )
            for each in its.broadcasts
        ),
    )
