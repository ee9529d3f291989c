"""What the engine measured of a plan's operators.

The engine counts whatever it runs; here the counts are read and summed over partitions. Reading
what every attempt tells takes a microsecond an operator, reading all there is a hundred times that.
"""

import re
from collections import Counter
from typing import Final

from datafusion.plan import ExecutionPlan, MetricsSet

from springald.engine.operators import operator_texts, operators
from springald_executor.core.model import (
    NO_FIGURES,
    FragmentFormat,
    OperatorFigures,
    RanOperator,
    TaskRequest,
)
from springald_executor.engine.operator_positions import stage_positions

_PRUNED: Final = re.compile(r"([\d.]+)( [KMBT])? total → ([\d.]+)( [KMBT])? matched")
"""How the engine prints what pruning left; the values themselves are not offered to Python."""

_UNITS: Final = {"": 1, " K": 10**3, " M": 10**6, " B": 10**9, " T": 10**12}
_TOLD_ALREADY: Final = frozenset({
    "output_rows", "elapsed_compute", "spill_count", "spilled_bytes", "bytes_scanned",
})  # fmt: skip


def read_figures(plan: ExecutionPlan, request: TaskRequest) -> OperatorFigures:
    """Returns what was measured of a task's plan so far."""
    stage, found = request.stage, operators(plan)
    is_query = stage.fragment.format is FragmentFormat.SQL
    numbers = [[number] for number in range(len(found))]
    if not is_query and len(found) != stage.operator_count:
        payload = stage.fragment.payload
        known = stage_positions(plan, payload, request.partitions, stage.operator_count)
        if known is None:
            return NO_FIGURES
        numbers = known
    positions_measured: list[int] = []
    measured: list[tuple[int, ...]] = []
    details: list[tuple[int, str, int]] = []
    for places, (operator, is_scan) in zip(numbers, found, strict=True):
        metrics = operator.metrics()
        if places and metrics is not None and (rows := metrics.output_rows) is not None:
            *others_of_its_rows, number = places
            positions_measured += places
            measured += [(rows, 0, 0, 0, 0)] * len(others_of_its_rows)
            measured.append((rows, *_sums(metrics, is_scan=is_scan)))
            if stage.profile:
                details += ((number, *each) for each in sorted(_details(metrics).items()))
    if not measured:
        return NO_FIGURES
    rows_out, compute_ns, *others = zip(*measured, strict=True)
    spill_count, spilled_bytes, bytes_scanned = (column if any(column) else () for column in others)
    return OperatorFigures(
        positions=tuple(positions_measured),
        rows_out=rows_out,
        compute_ns=compute_ns,
        spill_count=spill_count,
        spilled_bytes=spilled_bytes,
        bytes_scanned=bytes_scanned,
        details=tuple(details),
    )


def ran_operators(plan: ExecutionPlan) -> tuple[RanOperator, ...]:
    """Returns the operators of a plan that a task made itself."""
    return tuple(RanOperator(each.name, each.detail, each.inputs) for each in operator_texts(plan))


def _sums(metrics: MetricsSet, *, is_scan: bool) -> tuple[int, int, int, int]:
    """Returns time, spills, bytes of spills and bytes scanned, over all partitions."""
    compute_ns = metrics.elapsed_compute or 0
    if is_scan:
        # A scan of files counts its work under another name, and little under this one.
        processing_ns = metrics.sum_by_name("time_elapsed_processing") or 0
        return max(compute_ns, processing_ns), 0, 0, metrics.sum_by_name("bytes_scanned") or 0
    spills = metrics.spill_count or 0
    return compute_ns, spills, (metrics.spilled_bytes or 0) if spills else 0, 0


def _details(metrics: MetricsSet) -> Counter[str]:
    """Returns all that is not zero under the engine's names, summed over partitions and files."""
    found: Counter[str] = Counter()
    for metric in metrics.metrics():
        name, value = metric.name, metric.value
        if isinstance(value, int):
            found[name] += value
        elif "prune" in name and (match := _PRUNED.match(repr(metric))):
            total, total_unit, matched, matched_unit = match.groups(default="")
            found[f"{name}_total"] += _number(total, total_unit)
            found[f"{name}_matched"] += _number(matched, matched_unit)
    for name in list(found):
        of_all = found.get(name.removesuffix("_matched") + "_total", 0)
        if name in _TOLD_ALREADY or not (found[name] or of_all):
            del found[name]
    return found


def _number(text: str, unit: str) -> int:
    return round(float(text) * _UNITS[unit])
