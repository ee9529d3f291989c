"""Makes a stage of an edited fragment: numbers its inputs and operators anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.fragment import exchange_path
from springald.engine.plan_view import PlanNode
from springald.engine.reading import read_offsets
from springald.engine.slicing import partition_count
from springald.errors import UnsupportedError
from springald.limits import FRAGMENT_DEPTH_MAX, MESSAGE_BYTES_MAX
from springald_scheduler.core.graph import (
    BroadcastOffer,
    ExchangeKind,
    FilterOffer,
    MergeOffer,
    Offer,
    Operator,
    Stage,
    StageInput,
    SwapOffer,
)
from springald_scheduler.planning.fragments import body_of, input_read


@dataclass(slots=True)
class Origins:
    """What the nodes of an edited fragment were, by their identity.

    Attributes:
        operators: How people know a node.
        inputs: What a leaf reads, and which input of which stage it was.
    """

    operators: dict[int, Operator] = field(default_factory=dict)
    inputs: dict[int, tuple[StageInput, int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, *parts: tuple[Stage, PlanNode]) -> Self:
        """Takes stages with their parsed fragments."""
        origins = cls()
        for stage, root in parts:
            for node in root.walk():
                if 0 <= node.position < len(stage.operators):
                    origins.operators[id(node)] = stage.operators[node.position]
                number = input_read(node)
                if number is not None:
                    origins.inputs[id(node)] = (stage.inputs[number], stage.stage_id, number)
        return origins

    def retell(self, node: PlanNode, old: str, new: str) -> None:
        """Changes how people know a node."""
        operator = self.operators.get(id(node))
        if operator:
            detail = operator.detail.replace(old, new, 1)
            self.operators[id(node)] = replace(operator, detail=detail)


def read_whole(leaf: PlanNode) -> None:
    """Makes one partition of all that a leaf reads."""
    conf = pv.scan_conf(leaf)
    files = [file for group in conf.file_groups for file in group.files]
    group = pb.FileGroup(files=files)
    del conf.file_groups[:]
    conf.file_groups.append(group)
    conf.ClearField("output_partitioning")
    leaf.body = pb.FileScanNode(base_conf=conf.SerializeToString())


def rebuilt(
    stage: Stage, root: PlanNode, origins: Origins
) -> tuple[Stage, dict[tuple[int, int], int]]:
    """Returns a stage with another fragment, and where inputs of stages are in it.

    Raises:
        UnsupportedError: The fragment is too deep or too large.
    """
    inputs, places = _number_inputs(root, origins)
    if root.depth() > FRAGMENT_DEPTH_MAX:
        message = f"a fragment has at most {FRAGMENT_DEPTH_MAX} nested operators"
        raise UnsupportedError(f"{message}: got {root.depth()}")
    payload = pv.serialize(root)
    if len(payload) > MESSAGE_BYTES_MAX // 2:
        message = f"a fragment has at most {MESSAGE_BYTES_MAX // 2} bytes"
        raise UnsupportedError(f"{message}: got {len(payload)}")
    partitions = partition_count(body_of(root))
    output = stage.output
    if output.kind is ExchangeKind.RESULT:
        output = replace(output, partition_count=partitions)
    made = replace(
        stage,
        fragment=replace(stage.fragment, payload=payload),
        inputs=inputs,
        output=output,
        partition_count=partitions,
        operators=_operators(stage.stage_id, root, origins),
    )
    return made, places


def moved_offer(offer: Offer, stage: Stage, places: Mapping[tuple[int, int], int]) -> Offer:
    """Returns an offer of a stage about the same inputs in their new places."""

    def moved(numbers: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(places[stage.stage_id, each] for each in numbers)

    match offer:
        case BroadcastOffer():
            (probe,) = moved((offer.probe_input,))
            return replace(offer, build_inputs=moved(offer.build_inputs), probe_input=probe)
        case MergeOffer():
            (taken,) = moved((offer.taken_input,))
            return replace(offer, taken_input=taken)
        case SwapOffer():
            probes = moved(offer.probe_inputs)
            return replace(offer, build_inputs=moved(offer.build_inputs), probe_inputs=probes)
        case FilterOffer():
            return offer


def _number_inputs(
    root: PlanNode, origins: Origins
) -> tuple[tuple[StageInput, ...], dict[tuple[int, int], int]]:
    inputs: list[StageInput] = []
    places: dict[tuple[int, int], int] = {}
    offsets = read_offsets(root)
    for leaf in root.walk():
        if id(leaf) not in origins.inputs:
            continue
        read, stage_id, number = origins.inputs[id(leaf)]
        conf = pv.scan_conf(leaf)
        partition = 0
        for group in conf.file_groups:
            for file in group.files:
                file.path = exchange_path(len(inputs), partition)
                partition += 1
        leaf.body = pb.FileScanNode(base_conf=conf.SerializeToString())
        whole = len(conf.file_groups) != partition
        offset = None if whole else offsets[id(leaf)]
        places[stage_id, number] = len(inputs)
        inputs.append(replace(read, offset=offset))
    return tuple(inputs), places


def _operators(stage_id: int, root: PlanNode, origins: Origins) -> tuple[Operator, ...]:
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
