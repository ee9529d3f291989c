"""A job's profile as a person reads it: figures in columns, and beside them the operators."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from springald.job_report import bytes_text

if TYPE_CHECKING:
    from springald.job_profile import JobProfile, OperatorProfile, Spread, StageProfile

__all__ = ["profile_text"]

_HEADS: Final = ("rows in", "rows out", "estimated", "ms a task", "spilled")
_SPREAD_HEAD: Final = "ms a task: min/median/max"
_PRUNING: Final = {
    "files_ranges_pruned_statistics": ("file", ""),
    "row_groups_pruned_statistics": ("row group", ""),
    "row_groups_pruned_bloom_filter": ("row group", " by bloom filter"),
    "page_index_pages_pruned": ("page", ""),
}
_NS_PER_MS: Final = 1_000_000


def profile_text(profile: "JobProfile", *, verbose: bool) -> str:
    """Returns a profile as text, the stage of the result first."""
    lines = list(_headlines(profile))
    for stage in reversed(profile.stages):
        lines.append("")
        lines += _stage_lines(stage, verbose=verbose)
    return "\n".join(lines)


def _headlines(profile: "JobProfile") -> Iterator[str]:
    stages = profile.stages
    tasks, finished = (sum(getattr(s, n) for s in stages) for n in ("tasks", "tasks_finished"))
    head = f"Job {profile.job_id}: {profile.status.value} in {profile.elapsed_ms} ms"
    counted = f"{finished} of {_counted(tasks, 'task')} finished"
    yield f"{head}; {_counted(len(stages), 'stage')}, {counted}"
    if profile.error:
        yield from (f"  {line}" for line in profile.error.splitlines())
    moved, local, remote, spilled = (
        bytes_text(sum(getattr(stage, name) for stage in stages))
        for name in ("bytes_shuffled", "bytes_read_local", "bytes_read_remote", "bytes_spilled")
    )
    if stages:
        yield f"  shuffled {moved}: {local} read in place, {remote} fetched; spilled {spilled}"
    # A stage says itself why it is one task.
    told = {_reason(stage) for stage in stages}
    yield from (f"  -- {decision}" for decision in profile.decisions if decision not in told)


def _stage_lines(stage: "StageProfile", *, verbose: bool) -> Iterator[str]:
    kind = stage.exchange + (f" by [{', '.join(stage.keys)}]" if stage.keys else "")
    reads = "".join(f", reads stage {number}" for number in stage.reads)
    yield (
        f"Stage {stage.stage_id}: {_counted(stage.partitions, 'partition')}{reads} -> "
        f"{kind}, {_counted(stage.output_partitions, 'partition')}"
    )
    if stage.single_task_reason:
        yield f"  -- {_reason(stage)}"
    yield from (f"  -- {decision}" for decision in stage.decisions)
    yield f"  {_stage_figures(stage)}"
    if stage.operators:
        yield from _operator_lines(stage.operators, verbose=verbose)


def _reason(stage: "StageProfile") -> str:
    return f"one task: {stage.single_task_reason}"


def _stage_figures(stage: "StageProfile") -> str:
    if not stage.tasks:
        return "not begun"
    times = f", {_spread(stage.task_ms, '.0f')} ms a task" if stage.task_ms else ""
    finished = f"{stage.tasks_finished} of {_counted(stage.tasks, 'task')}"
    parts = [
        f"{finished} in {stage.elapsed_ms} ms{times}",
        f"{_counted(stage.rows_out, 'row')} out, {bytes_text(stage.bytes_out)}",
    ]
    if stage.reads:
        local, remote = bytes_text(stage.bytes_read_local), bytes_text(stage.bytes_read_remote)
        parts.insert(1, f"{_counted(stage.rows_in, 'row')} in, {local} in place, {remote} fetched")
    if stage.bytes_spilled:
        parts.append(f"{bytes_text(stage.bytes_spilled)} spilled")
    return "; ".join(parts)


def _operator_lines(operators: Sequence["OperatorProfile"], *, verbose: bool) -> Iterator[str]:
    rows = [_cells(operator) for operator in operators]
    shown = [i for i, _ in enumerate(_HEADS) if any(row[i] for row in rows)]
    heads = [_HEADS[i] if not any("/" in row[i] for row in rows) else _SPREAD_HEAD for i in shown]
    widths = [
        max(len(head), *(len(row[i]) for row in rows)) for i, head in zip(shown, heads, strict=True)
    ]
    named = (head.rjust(width) for head, width in zip(heads, widths, strict=True))
    yield "    " + "  ".join(named) + "  operator"
    margin = " " * (4 + sum(width + 2 for width in widths))
    for operator, row in zip(operators, rows, strict=True):
        figures = "".join(row[i].rjust(w) + "  " for i, w in zip(shown, widths, strict=True))
        detail = f": {operator.detail}" if operator.detail else ""
        yield f"    {figures}{'  ' * operator.depth}{operator.name}{detail}"
        for note in _notes(operator, verbose=verbose):
            yield f"{margin}{'  ' * operator.depth}    {note}"


def _cells(operator: "OperatorProfile") -> tuple[str, ...]:
    rows = (operator.rows_in, operator.rows_out, operator.rows_estimated)
    return (
        *("" if count is None else f"{count:,}" for count in rows),
        _spread(operator.task_ms, ".1f") if operator.task_ms else "",
        bytes_text(operator.bytes_spilled) if operator.bytes_spilled else "",
    )


def _notes(operator: "OperatorProfile", *, verbose: bool) -> Iterator[str]:
    """Yields what pruning left of files, and what else the engine counted."""
    details = dict(operator.details)
    read = [f"{bytes_text(operator.bytes_scanned)} read"] if operator.bytes_scanned else []
    for name, (thing, means) in _PRUNING.items():
        total, left = details.pop(f"{name}_total", 0), details.pop(f"{name}_matched", 0)
        if total != left or (total and verbose):
            read.append(f"{left:,} of {_counted(total, thing)}{means}")
    if read:
        yield f"({', '.join(read)})"
    if verbose and details:
        yield f"({', '.join(f'{name}={_detail(name, details[name])}' for name in details)})"


def _detail(name: str, value: int) -> str:
    if "_time" in name or name.startswith("time_"):
        return f"{value / _NS_PER_MS:.1f} ms"
    return f"{value:,}"


def _spread(spread: "Spread", form: str) -> str:
    if spread.min == spread.max:
        return f"{spread.max:{form}}"
    return f"{spread.min:{form}}/{spread.median:{form}}/{spread.max:{form}}"


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
