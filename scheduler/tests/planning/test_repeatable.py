"""Stages whose rows are the same when they are made again, and those of which that is not known."""

import pytest
from simulate import Simulation

from springald_scheduler.core.graph import Repeats


def first_stage(simulation: Simulation, sql: str) -> Repeats:
    """What the planner says of the first stage of a query that is cut."""
    graph = simulation.graph(sql)
    assert len(graph.stages) > 1
    return graph.stages[0].repeats


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT g, count(*), min(q), max(s) FROM facts GROUP BY g",
        "SELECT g, sum(id) FROM facts GROUP BY g",
        "SELECT f.id, d.label FROM facts f JOIN dims d ON f.k = d.k",
        "SELECT * FROM facts ORDER BY id",
        "SELECT DISTINCT g FROM facts",
    ],
)
def test_stage_of_exact_operators_repeats(simulation: Simulation, sql: str) -> None:
    """Scans, filters, joins, sorts and exact aggregates put out the same rows in any order."""
    assert first_stage(simulation, sql) is Repeats.ALWAYS


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT g, sum(id * 0.1e0) FROM facts GROUP BY g",
        "SELECT g, avg(id) FROM facts GROUP BY g",
        "SELECT g, array_agg(id) FROM facts GROUP BY g",
        "SELECT g, first_value(id) FROM facts GROUP BY g",
        "SELECT * FROM facts ORDER BY g LIMIT 5",
    ],
)
def test_stage_that_depends_on_the_order_of_rows_is_not_known_to_repeat(
    simulation: Simulation, sql: str
) -> None:
    """Sums of floats, limits, ties and what gathers rows may come out otherwise."""
    assert first_stage(simulation, sql) is Repeats.UNKNOWN


@pytest.mark.parametrize("call", ["random()", "uuid()"])
def test_stage_that_calls_a_volatile_function_never_repeats(
    simulation: Simulation, call: str
) -> None:
    """What is drawn is drawn anew."""
    sql = f"SELECT g, max({call}) FROM facts GROUP BY g"  # noqa: S608
    assert first_stage(simulation, sql) is Repeats.NEVER
