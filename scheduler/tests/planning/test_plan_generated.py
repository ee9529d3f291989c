"""Plans drawn at random mean what the engine makes of the same thing, said in its own calls."""

import plan_kit as k
import pytest
from datafusion import SessionContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plan_generator import DEPTH_MAX, TABLE, Generator, asked
from simulate import Simulation, rows_of


@pytest.fixture(scope="module")
def engine() -> SessionContext:
    """One engine with the table."""
    context = SessionContext()
    context.from_arrow(TABLE, name="rows")
    return context


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_plan_drawn_at_random_gives_what_the_engine_gives(
    simulation: Simulation, engine: SessionContext, data: st.DataObject
) -> None:
    """Whatever is put together, stages of the plan and the engine's own calls agree (P8.1)."""
    if not any(table.name == "rows" for table in simulation.planner.list_tables("s")):
        simulation.upload("rows", TABLE)
    drawn = Generator(data.draw, engine).relation(data.draw(st.integers(1, DEPTH_MAX)))
    plan = k.plan(drawn.plan)
    want = asked(drawn.frame.to_arrow_table)
    got = simulation.answer(plan)
    assert rows_of(got, in_order=drawn.ordered) == rows_of(want, in_order=drawn.ordered)
    assert simulation.describe(plan).names == want.schema.names
