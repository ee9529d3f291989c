"""Which operators of a stage the operators of a task's plan are.

A stage's operators are numbered as the engine prints them: parents first, left to right. A task
that runs some partitions lacks branches of unions. Below a union the engine also adds projections
while it decodes a plan, so that all branches have the same columns, NULLs allowed or not; a task
that runs a single branch has no union, and no such projection.
"""

from collections.abc import Sequence

from datafusion import SessionContext
from datafusion.plan import ExecutionPlan

from springald.engine import plan_view as pv
from springald.engine.plan_view import PlanNode
from springald.engine.slicing import slice_plan

_Place = tuple[int, bool]
"""A position in the template, and whether it is what the engine has added above the operator."""


def stage_positions(
    plan: ExecutionPlan, payload: bytes, partitions: Sequence[int], operator_count: int
) -> list[list[int]] | None:
    """Returns the positions, in the stage, of each operator of a task's plan; None if unknown.

    An operator has the position of a union as well that it is the only branch left of, and of what
    was added above it: the same rows would come out of these.

    Args:
        plan: The task's plan.
        payload: The stage's template.
        partitions: The partitions of it that the task runs.
        operator_count: How many operators the stage has.
    """
    template = pv.parse(payload)
    found = _places(slice_plan(template, partitions), plan, is_branch=False)
    if found is None:
        return None
    known = [(node.position, False) for node in template.walk()]
    if operator_count > len(known):
        decoded = ExecutionPlan.from_bytes(SessionContext(), payload)
        told = _places(template, decoded, is_branch=False) or []
        known = told if len(told) == operator_count else known
    ends = {node.position: node.position + _size(node) for node in template.walk()}
    numbers: dict[_Place, list[int]] = {place: [] for place in found}
    for number, place in enumerate(known):
        inside = (each for each in found if place[0] <= each[0] < ends[place[0]])
        stands_in = place if place in numbers else next(inside, None)
        if stands_in is not None:
            numbers[stands_in].append(number)
    return [numbers[place] for place in found]


def _size(node: PlanNode) -> int:
    return sum(1 for _ in node.walk())


def _places(node: PlanNode, operator: ExecutionPlan, *, is_branch: bool) -> list[_Place] | None:
    """Returns what each operator of a decoded plan is; None if the plan has another shape."""
    inputs = operator.children()
    found = _own_places(node, inputs)
    if found is None and is_branch and len(inputs) == 1:
        inside = _places(node, inputs[0], is_branch=False)
        found = None if inside is None else [(node.position, True), *inside]
    return found


def _own_places(node: PlanNode, inputs: Sequence[ExecutionPlan]) -> list[_Place] | None:
    if len(inputs) != len(node.children):
        return None
    found = [(node.position, False)]
    for child, below in zip(node.children, inputs, strict=True):
        inside = _places(child, below, is_branch=node.kind == "union")
        if inside is None:
            return None
        found += inside
    return found
