"""How many rows the engine expects of each operator, put beside the operators of stages.

The engine tells its estimates in the text of a plan only, and of a whole plan only: a fragment's
reads know nothing of what they will read. So the text of the whole plan is laid beside the stages,
each in its place, and what stands in both at the same point is the same operator.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Final

from springald.errors import SpringaldError
from springald_scheduler.core.graph import Operator, StageGraph
from springald_scheduler.planning.session import PlannerSession

_SHOW: Final = "datafusion.explain.show_statistics"
_STATISTICS: Final = re.compile(r", statistics=\[Rows=(?:(?:Ine|E)xact\((\d+)\)|Absent)")
_READS: Final = re.compile(r"springald-exchange/(\d+)/")
_INCIDENTAL: Final = re.compile(r"mode=(?:Partitioned|CollectLeft), |, input_partitions=\d+")
"""What cutting changes of an operator that stays the same."""


def with_estimates(session: PlannerSession, sql: str, graph: StageGraph) -> StageGraph:
    """Returns the graph of a query with what the engine expected of its operators.

    An operator that was added by cutting, or that changed, has no estimate.
    """
    expected = _expected(session, sql)
    placed = list(_in_place(graph))
    keys = [_key(f"{operator.name}: {operator.detail}") for _, _, operator in placed]
    matcher = SequenceMatcher(a=[key for key, _ in expected], b=keys, autojunk=False)
    stages = [list(stage.operators) for stage in graph.stages]
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            stage, position, operator = placed[block.b + offset]
            _, rows = expected[block.a + offset]
            stages[stage][position] = replace(operator, rows_estimated=rows)
    return replace(
        graph,
        stages=tuple(
            replace(stage, operators=tuple(operators))
            for stage, operators in zip(graph.stages, stages, strict=True)
        ),
    )


def _expected(session: PlannerSession, sql: str) -> list[tuple[str, int | None]]:
    """Returns the operators of the whole plan, parents first, with the rows expected of each."""
    if session.bound.substrait_plan:
        return []  # there is no text that could be explained
    usual = session.settings.engine.get(_SHOW, "false")
    try:
        session.context.sql(f"SET {_SHOW} = 'true'")
        rows = session.answer(f"EXPLAIN FORMAT INDENT {sql.strip()}").to_pylist()
    except SpringaldError:
        return []  # a query that runs is not refused because its plan is hard to print
    finally:
        session.context.sql(f"SET {_SHOW} = '{usual}'")
    text = next((row["plan"] for row in rows if row["plan_type"] == "physical_plan"), "")
    found: list[tuple[str, int | None]] = []
    begun = ""
    for line in text.splitlines():
        # A literal with a line break in it takes several lines.
        begun = f"{begun} {line}"
        if match := _STATISTICS.search(begun):
            count = match.group(1)
            found.append((_key(begun[: match.start()]), None if count is None else int(count)))
            begun = ""
    return found


def _in_place(graph: StageGraph) -> Iterator[tuple[int, int, Operator]]:
    """Yields stage, position and operator, each stage where its rows are read for the first time.

    That is nearly the order of the plan before it was cut.
    """
    seen = {len(graph.stages) - 1}
    waiting = [iter(enumerate(graph.stages[-1].operators))]
    path = [len(graph.stages) - 1]
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
            path.pop()
            continue
        position, operator = entry
        stage = graph.stages[path[-1]]
        yield path[-1], position, operator
        match = _READS.search(operator.detail)
        if match and int(match.group(1)) < len(stage.inputs):
            source = stage.inputs[int(match.group(1))].stage_id - 1
            if source not in seen:
                seen.add(source)
                path.append(source)
                waiting.append(iter(enumerate(graph.stages[source].operators)))


def _key(text: str) -> str:
    return _INCIDENTAL.sub("", " ".join(text.split())).removesuffix(":")
