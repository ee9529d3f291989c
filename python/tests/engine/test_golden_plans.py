"""Plans of the pinned engine, kept: an upgrade that moves a field fails here, not in a query."""

import pytest
from datafusion import SessionContext
from datafusion.plan import ExecutionPlan
from engine.golden import GOLDEN, NOT_MADE, Golden, fresh, outline, recorded

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv

each_golden = pytest.mark.parametrize("golden", GOLDEN, ids=[golden.kind for golden in GOLDEN])


def test_golden_plans_cover_every_operator_of_the_view() -> None:
    """An operator is in a golden plan, or there is a reason why it cannot be."""
    known = {each.name for each in pb.PhysicalPlanNode.DESCRIPTOR.fields}
    made = {node.kind for golden in GOLDEN for node in pv.parse(golden.path.read_bytes()).walk()}
    assert made | NOT_MADE.keys() == known
    assert not made & NOT_MADE.keys()


@each_golden
def test_golden_plan_has_its_operator_and_no_place_of_a_machine(golden: Golden) -> None:
    """A plan is kept for its operator, and says nothing of where it was made."""
    data = golden.path.read_bytes()
    assert golden.kind in {node.kind for node in pv.parse(data).walk()}
    assert len(data) < 5_000
    assert b"tmp" not in data


@each_golden
def test_fresh_plan_reads_like_the_golden_one(golden: Golden) -> None:
    """The engine still puts each field that the planner looks at where the view says."""
    assert outline(pv.parse(fresh(golden))) == recorded()[golden.kind]


@each_golden
def test_golden_plan_reads_as_it_was_recorded(golden: Golden) -> None:
    """The view still reads each field from where the engine puts it."""
    assert outline(pv.parse(golden.path.read_bytes())) == recorded()[golden.kind]


@each_golden
def test_golden_plan_decodes_before_and_after_it_was_parsed(golden: Golden) -> None:
    """The engine reads its own bytes, and what the view does not know survives in ours."""
    context = SessionContext()
    data = golden.path.read_bytes()
    again = pv.serialize(pv.parse(data))
    texts = [ExecutionPlan.from_bytes(context, each).display_indent() for each in (data, again)]
    assert texts[0] == texts[1]
    operators = [line for line in texts[0].splitlines() if line.strip()]
    assert len(operators) == len(list(pv.parse(data).walk()))


_OTHER_NAMES = {
    "parquetscan", "csvscan", "jsonscan", "arrowscan", "memoryscan", "merge", "generateseries",
    "window",
}  # fmt: skip


def _name(text: str) -> str:
    return text.replace("_", "").lower()


@each_golden
def test_golden_plan_has_the_shape_that_the_engine_says(golden: Golden) -> None:
    """Operators are numbered alike on both sides: each has its inputs in the engine's order."""
    data = golden.path.read_bytes()
    read = [(_name(node.kind), len(node.children)) for node in pv.parse(data).walk()]
    shape = []
    waiting = [ExecutionPlan.from_bytes(SessionContext(), data)]
    while waiting:
        plan = waiting.pop()
        name = plan.display().strip().replace(":", " ").split()[0].removesuffix("Exec")
        shape.append((_name(name), len(plan.children())))
        waiting += reversed(plan.children())
    assert len(read) == len(shape)
    for (kind, inputs), (name, engine_inputs) in zip(read, shape, strict=True):
        assert inputs == engine_inputs, (kind, name)
        assert kind == name or kind in _OTHER_NAMES
