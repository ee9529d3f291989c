"""A plan's version can always be read, and its depth stops no decoder."""

import pytest
from google.protobuf.message import DecodeError

from springald.plan.v1 import plan_pb2 as pb
from springald.plan.v1.names_pb2 import TableName
from springald.plan.v1.relations_pb2 import FilterRelation
from springald.plan.v1.sources_pb2 import ReadNamedTableRelation

VERSION = pb.PlanVersion(major=1, minor=0, producer="test")


def test_plan_version_decodes_when_the_rest_does_not() -> None:
    """A reader can say which version a plan needs even if it can read nothing else (P1.3)."""
    plan = pb.Plan(version=VERSION, sql=pb.SqlText(text="SELECT 1")).SerializeToString()
    garbled = plan.replace(b"SELECT 1", b"\xff\xff\xff\xff\xff\xff\xff\xff")
    with pytest.raises(DecodeError):
        pb.Plan.FromString(garbled)
    assert pb.PlanHeader.FromString(garbled).version == VERSION


def test_plan_of_a_later_version_has_no_statement() -> None:
    """A form of statement that a reader does not know looks like none, and is not guessed."""
    later = pb.Plan(version=VERSION).SerializeToString() + b"\x9a\x06\x01x"  # field 99
    plan = pb.Plan.FromString(later)
    assert plan.version == VERSION
    assert plan.WhichOneof("statement") is None


def test_plan_of_many_levels_decodes() -> None:
    """Relations and expressions lie flat: 10,000 levels are as readable as one."""
    tree = pb.RelationTree(root_id=10_000)
    tree.relations.add(
        common=pb.RelationCommon(node_id=1),
        read_named_table=ReadNamedTableRelation(name=TableName(table="t")),
    )
    for node_id in range(2, 10_001):
        tree.relations.add(
            common=pb.RelationCommon(node_id=node_id, input_ids=[node_id - 1]),
            filter=FilterRelation(condition_id=node_id),
        )
    plan = pb.Plan(version=VERSION, relations=tree)
    assert pb.Plan.FromString(plan.SerializeToString()) == plan


@pytest.mark.parametrize(
    ("node", "common"),
    [(pb.Relation, pb.RelationCommon), (pb.Expression, pb.ExpressionCommon)],
    ids=["relation", "expression"],
)
def test_plan_nodes_begin_with_what_they_have_in_common(
    node: type[pb.Relation | pb.Expression],
    common: type[pb.RelationCommon | pb.ExpressionCommon],
) -> None:
    """A reader finds the id and the children of a node whose kind it does not know."""
    first = node.DESCRIPTOR.fields_by_number[1]
    assert (first.name, first.message_type) == ("common", common.DESCRIPTOR)
    assert common.DESCRIPTOR.fields_by_number[1].name == "node_id"
    assert common.DESCRIPTOR.fields_by_number[2].is_repeated
