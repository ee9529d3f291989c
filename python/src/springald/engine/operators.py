"""The operators of an engine plan, in the order in which the engine prints them.

That is parents first, left to right. An operator's place in this order is its *position*, the same
as in `plan_view.PlanNode`. The plan's text as a whole would tell the tree by its indentation, but a
line break inside a literal is printed as it is.
"""

from dataclasses import dataclass

from datafusion.plan import ExecutionPlan


@dataclass(frozen=True, slots=True)
class OperatorText:
    """An operator as people read it.

    Attributes:
        name: The engine's name of it, for example `HashJoinExec`.
        detail: Its arguments as the engine prints them.
        inputs: The positions of its inputs, in order.
    """

    name: str
    detail: str
    inputs: tuple[int, ...]


def operators(plan: ExecutionPlan) -> list[tuple[ExecutionPlan, bool]]:
    """Returns the operators of a plan by position, each with whether it is a leaf."""
    found: list[tuple[ExecutionPlan, bool]] = []
    waiting = [plan]
    while waiting:
        operator = waiting.pop()
        inputs = operator.children()
        found.append((operator, not inputs))
        waiting += reversed(inputs)
    return found


def operator_texts(plan: ExecutionPlan) -> list[OperatorText]:
    """Returns the operators of a plan by position, as people read them.

    Example:
        >>> from datafusion import SessionContext
        >>> plan = SessionContext().sql("SELECT 1 AS one").execution_plan()
        >>> for operator in operator_texts(plan):
        ...     print(operator.name, operator.detail, operator.inputs)
        ProjectionExec expr=[1 as one] (1,)
        PlaceholderRowExec  ()
    """
    heads: list[tuple[str, str]] = []
    inputs: list[list[int]] = []
    waiting = [(plan, -1)]
    while waiting:
        operator, parent = waiting.pop()
        position = len(heads)
        if parent >= 0:
            inputs[parent].append(position)
        name, _, detail = " ".join(operator.display().split()).partition(":")
        heads.append((name, detail.strip()))
        inputs.append([])
        waiting += ((child, position) for child in reversed(operator.children()))
    return [
        OperatorText(name, detail, tuple(below))
        for (name, detail), below in zip(heads, inputs, strict=True)
    ]
