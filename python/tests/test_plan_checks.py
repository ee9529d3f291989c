"""What a plan must keep to, whoever wrote it: every broken rule is told with its node."""

import time

import pytest
from google.protobuf import text_format
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from springald.errors import InvalidArgumentError, PlanTooDeepError, PlanTooLargeError
from springald.limits import (
    EXPRESSION_DEPTH_MAX,
    PLAN_BYTES_MAX,
    PLAN_INLINE_ROWS_BYTES_MAX,
    PLAN_NODES_MAX,
    RELATION_DEPTH_MAX,
)
from springald.plan.v1 import plan_pb2
from springald.plan.v1.functions_pb2 import FUNCTION_KIND_SCALAR
from springald.plans import check_plan, problems_of

GOOD = """
    relations { common { node_id: 1 } read_named_table { name { table: "t" } } }
    relations { common { node_id: 2 input_ids: 1 } filter { condition_id: 3 } }
    expressions { common { node_id: 1 } column { name { name: "a" } } }
    expressions { common { node_id: 2 } literal { value {
        type { simple_type: SIMPLE_TYPE_INT64 } value { int_value: 1 } } } }
    expressions { common { node_id: 3 operand_ids: [1, 2] }
        call { function_name: "=" function_kind: FUNCTION_KIND_SCALAR } }
    root_id: 2
"""


def tree(text: str) -> plan_pb2.Plan:
    """Returns a plan of relations from protobuf's text form."""
    relations = text_format.Parse(text, plan_pb2.RelationTree())
    return plan_pb2.Plan(version=plan_pb2.PlanVersion(major=1, minor=1), relations=relations)


def told(text: str) -> list[str]:
    """Returns the problems of a plan as errors tell them."""
    return [str(problem) for problem in problems_of(tree(text))]


def test_plan_that_keeps_the_rules_is_accepted() -> None:
    """A good plan has no problems."""
    check_plan(tree(GOOD))


def changed(old: str, new: str) -> str:
    """Returns the good plan with one change."""
    assert old in GOOD
    return GOOD.replace(old, new, 1)


BROKEN: dict[str, tuple[str, list[str]]] = {
    "dangling input": (
        changed("input_ids: 1 ", "input_ids: 7 "),
        ["r2: ids name relations of the plan: got 7", "r1: a relation is used below the root"],
    ),
    "dangling operand": (
        changed("[1, 2]", "[1, 9]"),
        ["e3: ids name expressions of the plan: got 9", "e2: an expression is used below the root"],
    ),
    "cycle of relations": (
        changed('{ common { node_id: 1 } read_named_table { name { table: "t" } } }',
                "{ common { node_id: 1 input_ids: 2 } distinct {} }"),
        ["r1: inputs stand before their users: 2 does not", "r2: a relation is used once"],
    ),
    "cycle of expressions": (
        changed("[1, 2]", "[3, 2]"),
        ["e3: operands stand before their users: 3 does not", "e3: an expression is used once"],
    ),
    "id twice": (
        changed("{ node_id: 2 } literal", "{ node_id: 1 } literal"),
        ["e1: ids differ: got 1 twice"],
    ),
    "no id": (changed("{ node_id: 2 } literal", "{ } literal"), ["e0: node_id must be given"]),
    "two uses": (changed("[1, 2]", "[1, 1]"), ["e1: an expression is used once", "e2: an expr"]),
    "another root": (changed("root_id: 2", "root_id: 1"), ["r2: the last relation is the root"]),
    "a root that is not there": (
        changed("root_id: 2", "root_id: 7").replace("[1, 2]", "[1, 9]"),
        ["r2: the last relation is the root: got root_id 7", "e3: ids name expressions of"],
    ),
    "no condition": (
        changed("condition_id: 3", ""),
        ["r2: the id of an expression must be given: got none"],
    ),
    "wrong arity": (changed("[1, 2]", "[1]"), ["e3: the operator = has 2 operands: got 1", "e2:"]),
    "too many inputs": (
        changed("input_ids: 1 ", "input_ids: [1, 1] "),
        ["r2: filter has 1 input: got 2"],
    ),
    "no kind": (
        changed("literal { value {", "# ").replace(
            "type { simple_type: SIMPLE_TYPE_INT64 } value { int_value: 1 } } } }", "}"
        ),
        ["e2: an expression has a kind that this version knows: got none"],
    ),
    "unknown enum": (
        changed("function_kind: FUNCTION_KIND_SCALAR", "function_kind: 77"),
        ["e3: function_kind is a FunctionKind that this version knows: got number 77"],
    ),
    "enum not said": (
        changed("function_kind: FUNCTION_KIND_SCALAR", ""),
        ["e3: function_kind must be given: got none"],
    ),
    "sort key as a condition": (
        changed('call { function_name: "=" function_kind: FUNCTION_KIND_SCALAR }', "sort_key {}"),
        ["e3: sort_key has 1 operand: got 2", "e3: sort keys stand where sort keys are asked"],
    ),
    "aggregate in a filter": (
        changed("FUNCTION_KIND_SCALAR", "FUNCTION_KIND_AGGREGATE"),
        ["e3: aggregates stand in an aggregate relation: got = as a value"],
    ),
    "window in a filter": (
        changed("FUNCTION_KIND_SCALAR }", "FUNCTION_KIND_WINDOW window {} }"),
        ["e3: window functions stand in windows and projections: got = elsewhere"],
    ),
    "alias of an operand": (
        changed('column { name { name: "a" } }', "literal { }").replace(
            "{ common { node_id: 1 } literal { }",
            '{ common { node_id: 1 operand_ids: 1 } alias { name: "x" }',
        ),
        ["e1: an alias stands where an expression becomes a column"],
    ),
    "star elsewhere": (
        changed('column { name { name: "a" } }', "star {}"),
        ["e1: a star is an item of a projection: got one as a value"],
    ),
    "outer column without a query round it": (
        changed('column { name { name: "a" } }', 'outer_column { name { name: "a" } }'),
        ["e1: an outer column is of a query round it, at most 0 levels up: got 1"],
    ),
    "lambda variable without a lambda": (
        changed('column { name { name: "a" } }', 'lambda_variable { name: "x" }'),
        ["e1: a lambda variable is one of a lambda round it: got 'x'"],
    ),
    "name that no relation has": (
        changed('read_named_table { name { table: "t" } }', 'read_cte { name: "c" }'),
        ["r1: read_cte names a relation round it: got 'c'"],
    ),
    "command below the root": (
        changed('read_named_table { name { table: "t" } }', 'reset_setting { name: "c" }'),
        ["r1: a command stands at the root only: got reset_setting below it"],
    ),
    "modified scalar function": (
        changed("FUNCTION_KIND_SCALAR", "FUNCTION_KIND_SCALAR distinct: true"),
        ["e3: a scalar function has arguments and nothing else"],
    ),
    "parameters of both kinds": (
        GOOD + 'positional_parameters {} named_parameters { name: "a b" }',
        ["parameters are all by position or all by name", "a parameter's name has letters"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "problems"), BROKEN.values(), ids=BROKEN)
def test_plan_that_breaks_rules_is_told_each_with_its_node(text: str, problems: list[str]) -> None:
    """P8.5: a plan's problems are told all at once, each with the node that has it."""
    found = told(text)
    for problem in problems:
        assert any(each.startswith(problem) for each in found), found


KINDS: dict[str, str] = {
    "values": 'values { schema { fields { name: "a" } } rows {} }',
    "join": "join { type: 99 is_lateral: true merges_keys: true }",
    "set operation": "set_operation { by_name: true type: SET_OPERATION_TYPE_EXCEPT_ALL }",
    "with": 'with_names { names: ["a", "a", ""] }',
    "aggregate": "aggregate { grouping_sets { positions: [4, 4] } }",
    "fraction": "sample { fraction: 2 }",
    "files": 'read_files { files { csv { delimiter: "ab" compression: 9 } } }',
    "unnest": "unnest { columns {} }",
    "show": "show { kind: SHOW_KIND_SETTING }",
    "sort": "sort {}",
    "distinct": "distinct { sort_key_ids: 1 }",
    "drop": "drop { name {} }",
    "copy": "copy_to { files { path: 'x' parquet {} schema {} } }",
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_relation_with_fields_that_make_no_sense_is_told(kind: str) -> None:
    """Each kind's own rules are checked, beside those of all nodes."""
    found = told(f"relations {{ common {{ node_id: 1 }} {kind} }} root_id: 1")
    assert any(each.startswith("r1: ") for each in found), found


def test_error_of_a_plan_tells_all_problems_and_the_first_node() -> None:
    """The error has the first node, and a line for each problem."""
    with pytest.raises(InvalidArgumentError) as caught:
        check_plan(tree(changed("[1, 2]", "[8, 9]")))
    assert caught.value.node_id == "e3"
    assert caught.value.message.splitlines()[:2] == [
        "e3: ids name expressions of the plan: got 9",
        "e3: ids name expressions of the plan: got 8",
    ]


def test_plan_of_many_broken_nodes_tells_what_fits_and_counts_the_rest() -> None:
    """An error stays within its limit, whatever there is to tell."""
    plan = plan_pb2.Plan()
    for number in range(5_000):
        plan.relations.relations.add(common=plan_pb2.RelationCommon(node_id=number))
    with pytest.raises(InvalidArgumentError, match=r"and \d+ more"):
        check_plan(plan)


def chain(count: int, kind: str = "distinct") -> plan_pb2.Plan:
    """Returns relations that are nested so deep."""
    plan = plan_pb2.Plan()
    relations = plan.relations.relations
    relations.add(common=plan_pb2.RelationCommon(node_id=1)).read_named_table.name.table = "t"
    for number in range(2, count + 1):
        common = plan_pb2.RelationCommon(node_id=number, input_ids=[number - 1])
        getattr(relations.add(common=common), kind).SetInParent()
    plan.relations.root_id = count
    return plan


def calls(count: int, name: str) -> plan_pb2.Plan:
    """Returns a projection of calls that are nested so deep, on the left."""
    plan = chain(2, "projection")
    expressions = plan.relations.expressions
    plan.relations.relations[1].projection.expression_ids.append(2 * count + 1)
    expressions.add(common=plan_pb2.ExpressionCommon(node_id=1)).column.position = 0
    for number in range(count):
        leaf, call = 2 * number + 2, 2 * number + 3
        expressions.add(common=plan_pb2.ExpressionCommon(node_id=leaf)).column.position = 0
        common = plan_pb2.ExpressionCommon(node_id=call, operand_ids=[call - 2, leaf])
        made = expressions.add(common=common).call
        made.function_name = name
        made.function_kind = FUNCTION_KIND_SCALAR
    return plan


def test_plan_that_is_nested_too_deep_is_refused() -> None:
    """Relations and expressions have a named depth; a chain of one operator counts once."""
    check_plan(chain(RELATION_DEPTH_MAX))
    with pytest.raises(PlanTooDeepError, match=f"at most {RELATION_DEPTH_MAX} deep: got") as caught:
        check_plan(chain(RELATION_DEPTH_MAX + 1))
    assert caught.value.node_id == "r1"
    check_plan(calls(EXPRESSION_DEPTH_MAX - 1, "-"))
    with pytest.raises(PlanTooDeepError, match=f"at most {EXPRESSION_DEPTH_MAX} deep: got"):
        check_plan(calls(EXPRESSION_DEPTH_MAX, "-"))
    check_plan(calls(5_000, "and"))


def test_plan_that_is_too_large_is_refused() -> None:
    """Nodes, bytes, and bytes of rows have named limits."""
    with pytest.raises(PlanTooLargeError, match=f"at most {PLAN_NODES_MAX} nodes"):
        check_plan(chain(PLAN_NODES_MAX + 1))
    rows = chain(1)
    rows.relations.relations[0].inline_table.arrow_stream = bytes(PLAN_INLINE_ROWS_BYTES_MAX + 1)
    with pytest.raises(PlanTooLargeError, match="bytes of rows"):
        check_plan(rows)
    rows.relations.relations[0].sql.query = "x" * PLAN_BYTES_MAX
    with pytest.raises(PlanTooLargeError, match=f"at most {PLAN_BYTES_MAX} bytes"):
        check_plan(rows)


def test_plan_of_the_most_nodes_is_checked_in_time_in_proportion() -> None:
    """Checking takes linear time, for a chain and for a heap of broken references."""
    half, whole = calls(PLAN_NODES_MAX // 4 - 2, "and"), calls(PLAN_NODES_MAX // 2 - 2, "and")

    def seconds(plan: plan_pb2.Plan) -> float:
        begun = time.process_time()
        problems_of(plan)
        return time.process_time() - begun

    assert min(seconds(whole) for _ in range(3)) < 4 * min(seconds(half) for _ in range(3)) + 0.1


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 255))
def test_bytes_of_any_kind_never_break_the_check(noise: bytes, place: int, byte: int) -> None:
    """What decodes is checked without an error of Python, whatever it says."""
    good = bytearray(tree(GOOD).SerializeToString())
    good[place % len(good)] = byte
    for candidate in (noise, bytes(good), bytes(good) + noise):
        try:
            plan = plan_pb2.Plan.FromString(candidate)
        except DecodeError:
            continue
        assert isinstance(problems_of(plan), list)
