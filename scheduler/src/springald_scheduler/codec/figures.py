"""What tasks measured of their operators: messages of executors, and answers to clients."""

from collections.abc import Iterable

from springald.errors import MessageGarbledError
from springald.physical.v1 import physical_pb2 as physical
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald_scheduler.core.figures import NO_FIGURES, OperatorFigures, Spread
from springald_scheduler.core.graph import Operator
from springald_scheduler.core.views import OperatorView

_NS_PER_US = 1_000


def figures_from_proto(message: physical.OperatorFigures) -> OperatorFigures:
    """Reads what one task measured.

    Raises:
        MessageGarbledError: A column is neither empty nor as long as the others.
    """
    positions = tuple(message.positions)
    if not positions:
        return NO_FIGURES
    columns = (
        tuple(message.rows_out),
        tuple(message.compute_ns),
        tuple(message.spill_count),
        tuple(message.spilled_bytes),
        tuple(message.bytes_scanned),
    )
    if not all(columns[:2]) or any(each and len(each) != len(positions) for each in columns):
        lengths = [len(each) for each in columns]
        raise MessageGarbledError(
            f"columns of figures have an entry for each of {len(positions)} operators: "
            f"got {lengths}"
        )
    details = tuple((each.position, each.name, each.value) for each in message.details)
    return OperatorFigures(positions, *columns, details)


def operators_from_proto(messages: Iterable[physical.Operator]) -> tuple[Operator, ...]:
    """Reads the operators of a plan that a task made itself."""
    return tuple(
        Operator(each.node_id, each.name, each.detail, tuple(each.input_node_ids))
        for each in messages
    )


def spread_to_proto(spread: Spread, divisor: int = 1) -> pb.Spread:
    """Writes how a figure differs between tasks, in a unit so many times larger."""
    parts = (spread.min, spread.median, spread.max)
    least, median, most = (round(part / divisor) for part in parts)
    return pb.Spread(min=least, median=median, max=most)


def operator_to_proto(operator: OperatorView) -> pb.OperatorStatistics:
    """Writes one operator over all tasks."""
    return pb.OperatorStatistics(
        node_id=operator.node_id,
        tasks=operator.tasks,
        rows_out=operator.rows_out,
        task_us=spread_to_proto(operator.compute_ns, _NS_PER_US),
        total_us=round(operator.total_ns / _NS_PER_US),
        spill_count=operator.spill_count,
        spilled_bytes=operator.spilled_bytes,
        bytes_scanned=operator.bytes_scanned,
        details=[pb.OperatorDetail(name=name, value=value) for name, value in operator.details],
    )
