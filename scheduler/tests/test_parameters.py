"""Parameters of plans are told before they have values."""

import plan_kit as k
import pyarrow as pa

from springald.plan.v1 import plan_pb2
from springald.types import data_type_to_proto, scalar_to_proto
from springald_scheduler.codec.parameters import (
    names_in,
    parameter_descriptions,
    with_all_parameters,
)


def told(plan: plan_pb2.Plan) -> dict[str, str]:
    """Returns the parameters of a plan, each with its type; empty if nobody says it."""
    return {
        each.name: str(each.type).strip() if each.HasField("type") else ""
        for each in parameter_descriptions(plan)
    }


def text_of(data_type: pa.DataType) -> str:
    """Returns a type as `told` shows it."""
    return str(data_type_to_proto(data_type)).strip()


def test_parameters_of_text_are_found_outside_of_quotes() -> None:
    """What stands in strings, names and comments is no parameter."""
    sql = "SELECT $1, '$2', \"$3\" -- $4\n, $$ $5 $$, $limit + $12 /* $6 */"
    assert list(names_in(sql)) == ["1", "limit", "12"]


def test_parameters_of_text_have_the_types_of_their_values() -> None:
    """P8.6: a parameter is told with the type of its value, or without one."""
    text = plan_pb2.SqlText(text="SELECT $1, $2, $3")
    text.positional_parameters.append(scalar_to_proto(pa.scalar("x")))
    plan = plan_pb2.Plan(sql=text)
    assert told(plan) == {"1": text_of(pa.string()), "2": "", "3": ""}
    filled = with_all_parameters(plan).sql.positional_parameters
    assert [each.value.WhichOneof("kind") for each in filled] == [
        "string_value", "null_value", "null_value",
    ]  # fmt: skip
    assert len(plan.sql.positional_parameters) == 1


def test_parameters_of_relations_have_the_types_that_are_declared() -> None:
    """P8.6: a parameter without a value is described as a null of its type."""
    items = [k.param("b", pa.int8()), k.param("a"), k.scalar_query(k.sql("SELECT $c"))]
    plan = k.message(k.project(k.table("t"), *items), a=pa.scalar(1.5))
    assert told(plan) == {"a": text_of(pa.float64()), "b": text_of(pa.int8()), "c": ""}
    values = {
        each.name: each.value for each in with_all_parameters(plan).relations.named_parameters
    }
    assert values["b"].type == data_type_to_proto(pa.int8())
    assert values["b"].value.WhichOneof("kind") == "null_value"
    assert values["a"].value.double_value == 1.5


def test_substrait_has_no_parameters() -> None:
    """A plan of another format is left as it is."""
    plan = plan_pb2.Plan(substrait=plan_pb2.SubstraitPlan(plan=b"$1"))
    assert told(plan) == {}
    assert with_all_parameters(plan) == plan
