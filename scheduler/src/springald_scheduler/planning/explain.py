"""Stages as text, and the engine's plan text as operators."""

from collections.abc import Iterator

from springald_scheduler.core.graph import Exchange, Operator, Stage, StageGraph


def stages_text(graph: StageGraph) -> str:
    """Returns the stage graph as a person reads it, the result first."""
    blocks = [_stage_text(stage) for stage in reversed(graph.stages)]
    decisions = [f"-- {decision}" for decision in graph.decisions]
    return "\n".join([*decisions, *blocks])


def _stage_text(stage: Stage) -> str:
    tasks = "one task" if stage.single_task_reason else f"{stage.partition_count} partitions"
    reads = ", ".join(f"stage {i.stage_id} ({i.kind.value})" for i in stage.inputs)
    head = f"Stage {stage.stage_id}: {tasks} -> {_exchange_text(stage.output)}"
    if reads:
        head += f"; reads {reads}"
    if stage.single_task_reason:
        head += f"; {stage.single_task_reason}"
    if stage.fragment.query is not None:
        return f"{head}\n  (the whole query, planned by the task that runs it)"
    depth = {stage.operators[0].node_id: 1} if stage.operators else {}
    lines = [head]
    for operator in stage.operators:
        level = depth[operator.node_id]
        depth.update(dict.fromkeys(operator.input_node_ids, level + 1))
        lines.append(f"{'  ' * level}{operator.name}: {operator.detail}".rstrip(": "))
    return "\n".join(lines)


def _exchange_text(exchange: Exchange) -> str:
    plural = "" if exchange.partition_count == 1 else "s"
    keys = f" by [{', '.join(exchange.keys)}]" if exchange.keys else ""
    return f"{exchange.kind.value}{keys}, {exchange.partition_count} partition{plural}"


def operators_of(stage_id: int, text: str) -> tuple[Operator, ...]:
    """Reads the engine's indented plan text as a tree of operators, root first."""
    levels: list[int] = []
    inputs: list[list[str]] = []
    heads: list[tuple[str, str]] = []
    path: list[int] = []
    for level, name, detail in _lines(text):
        number = len(heads)
        while path and levels[path[-1]] >= level:
            path.pop()
        if path:
            inputs[path[-1]].append(_node_id(stage_id, number))
        path.append(number)
        levels.append(level)
        inputs.append([])
        heads.append((name, detail))
    return tuple(
        Operator(_node_id(stage_id, number), name, detail, tuple(inputs[number]))
        for number, (name, detail) in enumerate(heads)
    )


def _lines(text: str) -> Iterator[tuple[int, str, str]]:
    for line in text.splitlines():
        stripped = line.lstrip(" ")
        if stripped:
            name, _, detail = stripped.partition(":")
            yield len(line) - len(stripped), name, detail.strip()


def _node_id(stage_id: int, number: int) -> str:
    return f"s{stage_id}/o{number}"
