"""Whether a plan keeps the rules of `springald.plan.v1`, as far as they can be seen without tables.

One pass over both lists looks at each node by itself, one walk from the root at what stands where.
Both take time in proportion to the plan's size, for hostile plans too: a walk goes to each node
once.
"""

from collections.abc import Iterator
from typing import Final

from springald.errors import PlanTooDeepError, PlanTooLargeError
from springald.limits import (
    EXPRESSION_DEPTH_MAX,
    PLAN_BYTES_MAX,
    PLAN_INLINE_ROWS_BYTES_MAX,
    PLAN_NODES_MAX,
    RELATION_DEPTH_MAX,
)
from springald.plan.v1 import plan_pb2
from springald.plans.expression_rules import expression_problems
from springald.plans.fields import missing, twice
from springald.plans.problems import Problem, error_of, expression_name, relation_name
from springald.plans.relation_rules import COMMANDS, relation_problems
from springald.plans.walk import Walk

_PROBLEMS_MAX: Final = 10_000


def check_plan(plan: plan_pb2.Plan) -> None:
    """Checks a plan, whatever its statement is.

    Args:
        plan: The plan; its version is not looked at.

    Raises:
        SpringaldError: It breaks rules; the message tells all of them, with their nodes.

    Example:
        >>> check_plan(plan_pb2.Plan(relations=plan_pb2.RelationTree(root_id=1)))
        Traceback (most recent call last):
        springald.errors.InvalidArgumentError: [INVALID_ARGUMENT] relations must be given: got none
    """
    problems = problems_of(plan)
    if problems:
        raise error_of(problems)


def problems_of(plan: plan_pb2.Plan) -> list[Problem]:
    """Returns all rules that a plan breaks, each with the node that breaks it."""
    match plan.WhichOneof("statement"):
        case None:
            return [Problem("", "a plan's statement is one that this version knows: got none")]
        case "sql":
            return [] if plan.sql.text.strip() else [Problem("", missing("sql.text"))]
        case "substrait":
            return [] if plan.substrait.plan else [Problem("", missing("substrait.plan"))]
        case _:
            return list(_too_large(plan) or _of_tree(plan.relations))


def _too_large(plan: plan_pb2.Plan) -> list[Problem]:
    tree, size = plan.relations, plan.ByteSize()
    nodes = len(tree.relations) + len(tree.expressions)
    inline = sum(len(each.inline_table.arrow_stream) for each in tree.relations)
    found = []
    if size > PLAN_BYTES_MAX:
        found.append(f"a plan has at most {PLAN_BYTES_MAX} bytes: got {size}")
    if nodes > PLAN_NODES_MAX:
        found.append(f"a plan has at most {PLAN_NODES_MAX} nodes: got {nodes}")
    if inline > PLAN_INLINE_ROWS_BYTES_MAX:
        found.append(
            f"a plan has at most {PLAN_INLINE_ROWS_BYTES_MAX} bytes of rows: got {inline}; "
            "upload them and read the table"
        )
    return [Problem("", text, PlanTooLargeError) for text in found]


def _of_tree(tree: plan_pb2.RelationTree) -> Iterator[Problem]:
    if not tree.relations:
        yield Problem("", missing("relations"))
        return
    yield from _of_parameters(tree)
    yield from _of_ids(tree)
    for relation in tree.relations:
        name = relation_name(relation.common.node_id)
        for text in relation_problems(relation):
            yield Problem(name, text)
    for expression in tree.expressions:
        name = expression_name(expression.common.node_id)
        for text in expression_problems(expression):
            yield Problem(name, text)
    yield from _of_places(tree)


def _of_parameters(tree: plan_pb2.RelationTree) -> Iterator[Problem]:
    if tree.positional_parameters and tree.named_parameters:
        yield Problem("", "parameters are all by position or all by name: got both")
    for text in twice("names of parameters", (each.name for each in tree.named_parameters)):
        yield Problem("", text)
    for each in tree.named_parameters:
        if not each.name.isidentifier() or not each.name.isascii():
            yield Problem("", f"a parameter's name has letters, digits and _: got {each.name!r}")


def _of_ids(tree: plan_pb2.RelationTree) -> Iterator[Problem]:
    seen: set[int] = set()
    for relation in tree.relations:
        yield from _of_id(relation_name, relation.common.node_id, seen)
    seen = set()
    for expression in tree.expressions:
        yield from _of_id(expression_name, expression.common.node_id, seen)
    last = tree.relations[-1].common.node_id
    if tree.root_id != last:
        text = f"the last relation is the root: got root_id {tree.root_id}"
        yield Problem(relation_name(last), text)
    for relation in tree.relations[:-1]:
        if relation.WhichOneof("kind") in COMMANDS:
            kind = relation.WhichOneof("kind")
            text = f"a command stands at the root only: got {kind} below it"
            yield Problem(relation_name(relation.common.node_id), text)


def _of_id(name: object, node_id: int, seen: set[int]) -> Iterator[Problem]:
    named = name(node_id) if callable(name) else ""
    if node_id == 0:
        yield Problem(named, missing("node_id"))
    if node_id in seen:
        yield Problem(named, f"ids differ: got {node_id} twice")
    seen.add(node_id)


def _of_places(tree: plan_pb2.RelationTree) -> Iterator[Problem]:
    walk = Walk(tree)
    yield from walk.problems()
    for sort, (depth, node), depth_max in (
        ("relations", walk.deepest_relation, RELATION_DEPTH_MAX),
        ("expressions", walk.deepest_expression, EXPRESSION_DEPTH_MAX),
    ):
        if depth > depth_max:
            text = f"{sort} are nested at most {depth_max} deep: got {depth}"
            yield Problem(node, text, PlanTooDeepError)
