"""Stages as text, and the engine's plans as operators."""

from collections.abc import Sequence

import pyarrow as pa
from datafusion.plan import ExecutionPlan

from springald.engine.operators import operator_texts
from springald_scheduler.core.graph import (
    BroadcastOffer,
    Exchange,
    FilterOffer,
    MergeOffer,
    Offer,
    Operator,
    Stage,
    StageGraph,
    SwapOffer,
)


def stages_text(graph: StageGraph) -> str:
    """Returns the stage graph as a person reads it, the result first."""
    blocks = [_stage_text(stage) for stage in reversed(graph.stages)]
    decisions = [f"-- {decision}" for decision in graph.decisions]
    return "\n".join([*decisions, *blocks])


def _stage_text(stage: Stage) -> str:
    tasks = "one task" if stage.single_task_reason else f"{stage.partition_count} partitions"
    reads = ", ".join(f"stage {i.stage_id} ({i.kind.value})" for i in stage.inputs)
    head = f"Stage {stage.stage_id}: {tasks} -> {_exchange_text(stage.output)}"
    if reads:
        head += f"; reads {reads}"
    if stage.single_task_reason:
        head += f"; {stage.single_task_reason}"
    if stage.after:
        head += f"; waits for the size of stage {', '.join(map(str, stage.after))}"
    head += "".join(f"; {_offer_text(stage, offer)}" for offer in stage.adaptive.offers)
    head = "\n".join([head, *(f"  -- {decision}" for decision in stage.decisions)])
    if stage.fragment.query is not None:
        return f"{head}\n  (the whole query, planned by the task that runs it)"
    depth = {stage.operators[0].node_id: 1} if stage.operators else {}
    lines = [head]
    for operator in stage.operators:
        level = depth[operator.node_id]
        depth.update(dict.fromkeys(operator.input_node_ids, level + 1))
        lines.append(f"{'  ' * level}{operator.name}: {operator.detail}".rstrip(": "))
    return "\n".join(lines)


def _offer_text(stage: Stage, offer: Offer) -> str:
    """Says what may become of a stage when sizes are known."""

    def names(numbers: Sequence[int]) -> str:
        return " and ".join(f"stage {stage.inputs[each].stage_id}" for each in numbers)

    match offer:
        case BroadcastOffer():
            size = f"has at most {offer.bytes_max} bytes"
            return f"takes in {names([offer.probe_input])} if {names(offer.build_inputs)} {size}"
        case MergeOffer():
            size = f"reads at most {offer.bytes_max} bytes"
            return f"takes in {names([offer.taken_input])} if it {size}"
        case FilterOffer():
            source = f"stage {offer.source_stage_id}"
            return f"is filtered by the keys of {source} if it has at most {offer.rows_max} rows"
        case SwapOffer():
            return f"swaps {names(offer.build_inputs)} and {names(offer.probe_inputs)} by size"


def _exchange_text(exchange: Exchange) -> str:
    plural = "" if exchange.partition_count == 1 else "s"
    keys = f" by [{', '.join(exchange.keys)}]" if exchange.keys else ""
    return f"{exchange.kind.value}{keys}, {exchange.partition_count} partition{plural}"


def operators_of(stage_id: int, plan: ExecutionPlan) -> tuple[Operator, ...]:
    """Returns the operators of a stage's plan, root first."""
    return tuple(
        Operator(
            _node_id(stage_id, position),
            text.name,
            text.detail,
            tuple(_node_id(stage_id, number) for number in text.inputs),
        )
        for position, text in enumerate(operator_texts(plan))
    )


def explanation(rows: Sequence[tuple[str, str]]) -> pa.Table:
    """Returns what EXPLAIN answers: kinds of plans, and the plans."""
    schema = pa.schema([("plan_type", pa.string()), ("plan", pa.string())])
    columns = [[row[0] for row in rows], [row[1] for row in rows]]
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=schema)


def stream_of(table: pa.Table) -> bytes:
    """Returns rows as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _node_id(stage_id: int, number: int) -> str:
    return f"s{stage_id}/o{number}"
