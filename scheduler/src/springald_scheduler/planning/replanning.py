"""Plans a stage anew, before it begins, now that the sizes of others are known.

Nothing but messages is edited: the operators, their order and the rows' types stay as the engine
planned them, so it needs neither the session nor the engine, and takes a fraction of a millisecond.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.modes import JoinMode
from springald.engine.plan_view import PlanNode
from springald.engine.slicing import partition_count
from springald.errors import UnsupportedError
from springald_scheduler.core.graph import (
    Adaptive,
    BroadcastOffer,
    FilterOffer,
    MergeOffer,
    Offer,
    Operator,
    Stage,
    SwapOffer,
)
from springald_scheduler.planning.fragments import body_of, input_read, path_to_join
from springald_scheduler.planning.rebuilding import Origins, moved_offer, read_whole, rebuilt
from springald_scheduler.planning.replanned_joins import filtered, swapped


def replan(stage: Stage, other: Stage, offer: Offer) -> Stage:
    """Returns a stage as an offer says.

    Args:
        stage: The stage that has the offer.
        other: The stage that the offer is about.
        offer: How.

    Raises:
        UnsupportedError: The fragments are not what the offer says, or too large together.
    """
    match offer:
        case BroadcastOffer():
            return _broadcast(stage, other, offer)
        case MergeOffer():
            return _merged(stage, other, offer)
        case FilterOffer():
            return filtered(stage, other, offer)
        case SwapOffer():
            return swapped(stage, offer)


def _broadcast(stage: Stage, probe: Stage, offer: BroadcastOffer) -> Stage:
    """Returns a stage that takes in the one that it reads as the probe side of a join."""
    root, taken = pv.parse(stage.fragment.payload), pv.parse(probe.fragment.payload)
    origins = Origins.of((stage, root), (probe, taken))
    path = path_to_join(body_of(root))
    if not path:
        raise UnsupportedError(f"a stage with an offer has a join: stage {stage.stage_id} has none")
    join = path[-1]
    _take_in(join, offer.probe_input, taken)
    for leaf in join.children[0].walk():
        if input_read(leaf) is not None:
            read_whole(leaf)
    join.body.partition_mode = JoinMode.COLLECT_LEFT
    origins.retell(join, "mode=Partitioned", "mode=CollectLeft")
    return _two_as_one(stage, probe, offer, root, origins)


def _merged(stage: Stage, taken: Stage, offer: MergeOffer) -> Stage:
    """Returns a stage of one partition that does itself what the one does that it reads."""
    root, below = pv.parse(stage.fragment.payload), pv.parse(taken.fragment.payload)
    origins = Origins.of((stage, root), (taken, below))
    parent, place = _reader(root, offer.taken_input)
    wanted = partition_count(parent.children[place])
    if wanted == 1 and partition_count(below) > 1:
        below = PlanNode("merge", pb.CoalescePartitionsExecNode(), [below])
        origins.operators[id(below)] = Operator("", "CoalescePartitionsExec", "", ())
    if partition_count(below) != wanted:
        message = f"a stage is read by partition: got {partition_count(below)} for {wanted}"
        raise UnsupportedError(message)
    parent.children[place] = below
    return _two_as_one(stage, taken, offer, root, origins)


def _two_as_one(
    stage: Stage, taken: Stage, offer: BroadcastOffer | MergeOffer, root: PlanNode, origins: Origins
) -> Stage:
    made, places = rebuilt(stage, root, origins)
    return replace(
        made,
        upload_ids=tuple(sorted({*stage.upload_ids, *taken.upload_ids})),
        adaptive=_adaptive(stage, taken, offer, places),
        after=tuple(sorted({*stage.after, *taken.after})),
    )


def _reader(root: PlanNode, number: int) -> tuple[PlanNode, int]:
    """Returns the operator above the leaf that reads an input, and which of its inputs that is."""
    for node in root.walk():
        for place, child in enumerate(node.children):
            if input_read(child) == number:
                return node, place
    raise UnsupportedError(f"a stage reads what its offer says: input {number} is not there")


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


def _adaptive(
    stage: Stage,
    taken: Stage,
    offer: BroadcastOffer | MergeOffer,
    places: Mapping[tuple[int, int], int],
) -> Adaptive:
    """Returns what may still change: what concerned what is taken in concerns what it reads."""
    own, its = stage.adaptive, taken.adaptive

    def numbers(chosen: Callable[[Adaptive], tuple[int, ...]]) -> tuple[int, ...]:
        kept = {places[stage.stage_id, each] for each in chosen(own) if each != offer.taken_input}
        if offer.taken_input in chosen(own):
            kept |= {places[taken.stage_id, each] for each in chosen(its)}
        return tuple(sorted(kept))

    broadcasts = isinstance(offer, BroadcastOffer)
    split = [places[taken.stage_id, each] for each in its.split_inputs] if broadcasts else ()
    return Adaptive(
        task_bytes_target=its.task_bytes_target if broadcasts else 0,
        emptied_by=numbers(lambda each: each.emptied_by),
        split_inputs=tuple(sorted(split)),
        split_bytes_min=its.split_bytes_min,
        offers=tuple(moved_offer(each, taken, places) for each in its.offers if broadcasts),
    )
