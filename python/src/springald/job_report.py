"""A job's stages as text: what they read, run and put out, and what was measured."""

from collections.abc import Iterator
from typing import Final

from springald.physical.v1 import physical_pb2
from springald.scheduler.v1 import scheduler_pb2 as pb

__all__ = ["bytes_text", "describe_stages"]

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_UNIT: Final = 1024


def describe_stages(job: pb.DescribeJobResponse) -> str:
    """Returns the stages of a job, producers first, with their operators and figures."""
    measured = {stage.stage_id: stage for stage in job.stages}
    lines = [f"job {job.summary.job_id}: {len(job.graph.stages)} stages"]
    for stage in job.graph.stages:
        lines.append(_headline(stage))
        lines += (f"  {line}" for line in _operator_lines(stage))
        if stage.stage_id in measured:
            lines.append(f"  {_figures(measured[stage.stage_id])}")
    lines += (f"- {decision}" for decision in job.graph.decisions)
    return "\n".join(lines)


def bytes_text(count: int) -> str:
    """Returns a number of bytes as people read it.

    Example:
        >>> bytes_text(512), bytes_text(3 * 1024 * 1024)
        ('512 B', '3.0 MiB')
    """
    amount, unit = float(count), 0
    while amount >= _UNIT and unit < len(_UNITS) - 1:
        amount, unit = amount / _UNIT, unit + 1
    return f"{count} B" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"


def _headline(stage: physical_pb2.Stage) -> str:
    output = stage.output
    kind = physical_pb2.ExchangeKind.Name(output.kind).removeprefix("EXCHANGE_KIND_").lower()
    keys = f" by {', '.join(output.keys)}" if output.keys else ""
    sources = ", ".join(f"stage {read.stage_id}" for read in stage.inputs)
    reads = f", reads {sources}" if sources else ""
    alone = f", one task: {stage.single_task_reason}" if stage.single_task_reason else ""
    return (
        f"stage {stage.stage_id}: {stage.partition_count} partitions{reads}, puts out "
        f"{kind}{keys} in {output.partition_count} partitions{alone}"
    )


def _operator_lines(stage: physical_pb2.Stage) -> Iterator[str]:
    """Draws the operators as a tree, root first, without recursion: plans may be deep."""
    by_id = {operator.node_id: operator for operator in stage.operators}
    waiting = [(stage.operators[0].node_id, 0)] if stage.operators else []
    while waiting:
        node_id, depth = waiting.pop()
        operator = by_id.get(node_id)
        if operator is None:
            continue
        detail = f": {operator.detail}" if operator.detail else ""
        yield f"{'  ' * depth}{operator.name}{detail}"
        waiting += ((inner, depth + 1) for inner in reversed(operator.input_node_ids))


def _figures(stage: pb.StageStatistics) -> str:
    return (
        f"{stage.tasks_finished}/{stage.tasks_total} tasks, {stage.rows_out} rows, "
        f"{bytes_text(stage.bytes_out)} out, {bytes_text(stage.bytes_read_local)} read in place, "
        f"{bytes_text(stage.bytes_read_remote)} fetched, {stage.elapsed_ms} ms"
    )
