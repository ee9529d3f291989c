"""Queries drawn at random: graphs of stages with their programs, and the rows that are right."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from simulation.chance import Chance
from simulation.programs import (
    Beside,
    Join,
    Program,
    Read,
    Rows,
    Table,
    Union,
    Whole,
    evaluate,
    key_of,
    renumbered,
    widened,
)
from springald_scheduler.core.actions import ReplanStage
from springald_scheduler.core.graph import (
    Adaptive,
    AnswerKind,
    BroadcastOffer,
    Exchange,
    ExchangeKind,
    FilterOffer,
    Fragment,
    FragmentFormat,
    MergeOffer,
    Offer,
    Repeats,
    Stage,
    StageGraph,
    StageInput,
    SwapOffer,
)

ROW_BYTES = 100


@dataclass(frozen=True, slots=True)
class Computation:
    """What a stage computes.

    Attributes:
        program: Its program.
        scatters: True if each attempt sends rows to other partitions; who reads them may not care.
        varies: True if what an attempt makes differs otherwise, for example in values.
        knows_checksums: True if the checksums of its rows are told.
    """

    program: Program
    scatters: bool
    varies: bool
    knows_checksums: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A statement as the planner makes a graph of it, and its right answer."""

    graph: StageGraph
    rows: tuple[int, ...]

    @property
    def profiles(self) -> bool:
        """True if its client wants no rows."""
        return self.graph.answer is not AnswerKind.ROWS


class Library:
    """What fragments stand for: a payload is a number, and the computation lies here."""

    def __init__(self) -> None:
        self._kept: list[Computation] = []

    def put(self, computation: Computation) -> Fragment:
        """Keeps a computation and returns the fragment that stands for it."""
        self._kept.append(computation)
        payload = str(len(self._kept) - 1).encode()
        return Fragment(FragmentFormat.PHYSICAL_PLAN, payload, "55.0.0")

    def get(self, payload: bytes) -> Computation:
        """Returns what a fragment's payload stands for."""
        return self._kept[int(payload)]


def route(output: Exchange, rows: Rows, partition: int) -> dict[int, Rows]:
    """Returns the rows of a partition of a stage by the output partitions that they go to."""
    routed: dict[int, Rows] = {}
    if output.kind is ExchangeKind.HASH:
        for row in rows:
            routed.setdefault(key_of(row) % output.partition_count, []).append(row)
    elif rows:
        ordered = output.kind in {ExchangeKind.SORTED, ExchangeKind.FORWARD, ExchangeKind.RESULT}
        routed[partition if ordered else 0] = rows
    return routed


def draw_query(chance: Chance, library: Library) -> Query:
    """Draws a query of one to six stages."""
    draft = _Draft(chance, library)
    top = draft.grow(chance.one_of(0, 1, 1, 2, 2, 3))
    draft.finish(top)
    answer = AnswerKind.PROFILE if chance.between(1, 12) == 1 else AnswerKind.ROWS
    graph = StageGraph(tuple(draft.stages), answer=answer)
    return Query(graph, tuple(sorted(_answer(graph, library))))


def _answer(graph: StageGraph, library: Library) -> Rows:
    """Computes a query stage by stage, without tasks."""
    outputs: dict[int, dict[int, Rows]] = {}
    for stage in graph.stages:
        computation = library.get(stage.fragment.payload)
        sources = [outputs[leaf.stage_id] for leaf in stage.inputs]

        def reads(
            number: int, wanted: int | None, sources: list[dict[int, Rows]] = sources
        ) -> Rows:
            if wanted is not None:
                return sources[number].get(wanted, [])
            return [row for _, part in sorted(sources[number].items()) for row in part]

        made = outputs[stage.stage_id] = {}
        for partition in range(stage.partition_count):
            rows = evaluate(computation.program, partition, reads)
            for where, part in route(stage.output, rows, partition).items():
                made.setdefault(where, []).extend(part)
    last = outputs[len(graph.stages)]
    return [row for part in last.values() for row in part]


class _Draft:
    """Stages as they are added, producers before consumers."""

    def __init__(self, chance: Chance, library: Library) -> None:
        self.stages: list[Stage] = []
        self._chance = chance
        self._library = library
        self._rows = 0
        self._steady = chance.between(1, 3) > 1  # nothing about the query varies

    def grow(self, depth: int, partitions: int | None = None) -> int:
        """Adds stages that end in an exchange by key; returns the number of the last one."""
        count = partitions or self._chance.between(1, 4)
        if depth <= 0:
            return self._leaf(count)
        kind = self._chance.one_of("map", "join", "join", "broadcast", "union", "single")
        match kind:
            case "map":
                source = self.grow(depth - 1)
                return self._map(source, count)
            case "join":
                return self._join(depth, count)
            case "broadcast":
                return self._broadcast(depth, count)
            case "union":
                sides = (self.grow(depth - 1), self.grow(depth - 2))
                return self._union(sides, count)
        return self._single(depth, count)

    def finish(self, top: int) -> None:
        """Makes the last stage the one of the result."""
        last = self.stages[top - 1]
        output = Exchange(ExchangeKind.RESULT, last.partition_count)
        inline = self._chance.one_of(0, 0, 10_000)
        self.stages[top - 1] = replace(last, output=output, inline_rows_bytes_max=inline)

    def _leaf(self, count: int) -> int:
        parts = []
        is_empty = self._chance.between(1, 10) == 1
        for _ in range(self._chance.between(1, 4)):
            size = 0 if is_empty else self._chance.one_of(0, 1, 2, 3, 9)
            rows = range(self._rows, self._rows + size)
            self._rows += size
            parts.append(tuple(row * 7 + 3 for row in rows))
        return self._add(Table(tuple(parts)), (), count, len(parts))

    def _map(self, source: int, count: int) -> int:
        width = self.stages[source - 1].output.partition_count
        adaptive = Adaptive(
            task_bytes_target=self._target(), emptied_by=(0,), split_inputs=(0,), split_bytes_min=1
        )
        return self._add(Read(0, 0, width), ((source, 0),), count, width, adaptive)

    def _union(self, sides: tuple[int, int], count: int) -> int:
        first, second = (self.stages[each - 1].output.partition_count for each in sides)
        program = Union((Read(0, 0, first), Read(1, first, second)))
        reads = ((sides[0], 0), (sides[1], first))
        return self._add(
            program, reads, count, first + second, Adaptive(task_bytes_target=self._target())
        )

    def _join(self, depth: int, count: int) -> int:
        width = self._chance.between(1, 4)
        side, main = self.grow(depth - 1, width), self.grow(depth - 2, width)
        for each in (side, main):
            self._settle(each)
        program = Join(Read(0, 0, width), Read(1, 0, width))
        bytes_max = self._chance.one_of(0, 500, 5_000)
        offers: list[Offer] = []
        if self._chance.between(0, 1):
            offers.append(BroadcastOffer((1,), 0, bytes_max, 99))
        if self._chance.between(0, 1):
            offers.append(SwapOffer((1,), (0,), 1))
        adaptive = Adaptive(
            task_bytes_target=self._target(),
            emptied_by=(0, 1),
            split_inputs=(0,),
            split_bytes_min=1,
            offers=tuple(offers),
        )
        if self._chance.between(0, 1):
            self._offer_filter(main, side)
        return self._add(program, ((main, 0), (side, 0)), count, width, adaptive)

    def _broadcast(self, depth: int, count: int) -> int:
        side, main = self.grow(depth - 2), self.grow(depth - 1)
        width = self.stages[main - 1].output.partition_count
        output = Exchange(ExchangeKind.BROADCAST, 1)
        self.stages[side - 1] = replace(self.stages[side - 1], output=output)
        self._settle(side)
        sides = (Read(0, 0, width), Read(1, None, 1))
        drops = self._chance.between(0, 1) == 1
        program = Join(*sides) if drops else Beside(*sides)
        emptied = (0, 1) if drops else (0,)
        adaptive = Adaptive(
            task_bytes_target=self._target(),
            emptied_by=emptied,
            split_inputs=(0,),
            split_bytes_min=1,
        )
        return self._add(program, ((main, 0), (side, None)), count, width, adaptive)

    def _single(self, depth: int, count: int) -> int:
        source = self.grow(depth - 1)
        output = Exchange(ExchangeKind.SINGLE, 1)
        self.stages[source - 1] = replace(self.stages[source - 1], output=output)
        self._settle(source)
        offers: tuple[Offer, ...] = ()
        if self._chance.between(0, 1):
            offers = (MergeOffer(0, self._chance.one_of(0, 500, 5_000)),)
        adaptive = Adaptive(emptied_by=(0,), offers=offers)
        return self._add(Read(0, 0, 1), ((source, 0),), count, 1, adaptive)

    def _target(self) -> int:
        return self._chance.one_of(0, 0, 200, 1_000)

    def _offer_filter(self, main: int, side: int) -> None:
        if main > side:
            stage = self.stages[main - 1]
            offer = FilterOffer(side, b"keys", (0,), 20, 5_000)
            offers = (*stage.adaptive.offers, offer)
            adaptive = replace(stage.adaptive, offers=offers)
            self.stages[main - 1] = replace(stage, adaptive=adaptive, after=(side,))

    def _settle(self, number: int) -> None:
        """Has a stage's rows go where their keys say: who reads them relies on it."""
        stage = self.stages[number - 1]
        computation = replace(self._library.get(stage.fragment.payload), scatters=False)
        self.stages[number - 1] = replace(stage, fragment=self._library.put(computation))

    def _add(
        self,
        program: Program,
        reads: Sequence[tuple[int, int | None]],
        count: int,
        partitions: int,
        adaptive: Adaptive | None = None,
    ) -> int:
        chance = self._chance
        repeats = Repeats.ALWAYS if self._steady else chance.one_of(*Repeats)
        varies = repeats is Repeats.NEVER or (
            repeats is Repeats.UNKNOWN and chance.between(0, 1) == 1
        )
        computation = Computation(
            program,
            scatters=varies and chance.between(0, 1) == 1,
            varies=varies,
            knows_checksums=chance.between(1, 4) > 1,
        )
        inputs = []
        for source, offset in reads:
            output = self.stages[source - 1].output
            inputs.append(StageInput(source, output.kind, output.partition_count, offset))
        stage = Stage(
            stage_id=len(self.stages) + 1,
            fragment=self._library.put(computation),
            inputs=tuple(inputs),
            output=Exchange(ExchangeKind.HASH, count),
            partition_count=partitions,
            single_task_reason=chance.one_of("", "", "", "", "", "whole"),
            adaptive=adaptive or Adaptive(),
            repeats=repeats,
        )
        self.stages.append(stage)
        return stage.stage_id


def replan(asked: ReplanStage, library: Library) -> Stage | None:
    """Plans a stage anew, as the planner would."""
    stage, other, offer = asked.stage, asked.other, asked.offer
    here, there = (library.get(each.fragment.payload) for each in (stage, other))
    program: Program
    match offer:
        case SwapOffer():
            return replace(stage, adaptive=Adaptive())
        case FilterOffer():
            output = other.output
            read = StageInput(other.stage_id, output.kind, output.partition_count)
            number = len(stage.inputs)
            program = Join(here.program, Read(number, None, output.partition_count))
            made = replace(here, program=program)
            inputs = (*stage.inputs, read)
            adaptive = replace(stage.adaptive, offers=())
            return replace(stage, inputs=inputs, fragment=library.put(made), adaptive=adaptive)
        case BroadcastOffer():
            wide = widened(here.program, offer.build_inputs)
            own = [
                replace(leaf, offset=None) if number in offer.build_inputs else leaf
                for number, leaf in enumerate(stage.inputs)
            ]
            taken, inner = offer.probe_input, there.program
            theirs, count = other.inputs, other.partition_count
        case MergeOffer():
            wide, own, taken = here.program, list(stage.inputs), offer.taken_input
            inner = Whole(there.program, other.partition_count)
            theirs = tuple(replace(leaf, offset=None) for leaf in other.inputs)
            count = stage.partition_count
    kept = [number for number in range(len(own)) if number != taken]
    shifted = {number: len(kept) + number for number in range(len(theirs))}
    places: dict[int, int | Program] = {number: place for place, number in enumerate(kept)}
    places[taken] = renumbered(inner, shifted)
    made = replace(
        here,
        program=renumbered(wide, places),
        varies=here.varies or there.varies,
        scatters=here.scatters,
    )
    reason = stage.single_task_reason or other.single_task_reason
    if isinstance(offer, MergeOffer):
        reason = stage.single_task_reason
    return replace(
        stage,
        inputs=(*(own[number] for number in kept), *theirs),
        partition_count=count,
        fragment=library.put(made),
        adaptive=Adaptive(),
        after=(*stage.after, *other.after),
        single_task_reason=reason,
        output=replace(stage.output, partition_count=count)
        if stage.output.kind is ExchangeKind.RESULT
        else stage.output,
    )
