"""What is left of a plan when a task runs some of its partitions, and what never is sliced."""

import pytest

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.modes import JoinMode
from springald.engine.plan_view import PlanNode
from springald.engine.slicing import (
    COLLAPSING,
    LEFT_COLLAPSING,
    PARTITION_WISE,
    partition_count,
    slice_plan,
)
from springald.errors import InternalError, UnsupportedError


def scan(name: str, partitions: int) -> PlanNode:
    """A scan whose partition p reads one file, `name/p`."""
    groups = [
        pb.FileGroup(files=[pb.PartitionedFile(path=f"{name}/{p}")]) for p in range(partitions)
    ]
    conf = pb.FileScanExecConf(file_groups=groups, output_partitioning=b"\x08\x04")
    return PlanNode("parquet_scan", pb.FileScanNode(base_conf=conf.SerializeToString()))


def read(root: PlanNode) -> list[list[str]]:
    """Returns the files of each scan, as `name/p`."""
    return [
        [file.path for group in pv.scan_conf(node).file_groups for file in group.files]
        for node in root.walk()
        if node.kind == "parquet_scan"
    ]


def files(name: str, *partitions: int) -> list[str]:
    """The files of some partitions."""
    return [f"{name}/{p}" for p in partitions]


def hash_join(left: PlanNode, right: PlanNode, mode: int) -> PlanNode:
    """A hash join of a mode."""
    return pv.node("hash_join", pb.HashJoinExecNode(partition_mode=mode), left, right)


def test_slice_of_all_partitions_is_the_plan_itself() -> None:
    """Nothing is copied for a task that runs everything."""
    root = pv.node("filter", None, scan("a", 3))
    assert slice_plan(root, [0, 1, 2]) is root


def test_slice_of_a_scan_keeps_its_groups_and_forgets_its_partitioning() -> None:
    """A declared partitioning counts partitions that are not there any more."""
    sliced = slice_plan(scan("a", 4), [1, 3])
    assert read(sliced) == [files("a", 1, 3)]
    assert not pv.scan_conf(sliced).HasField("output_partitioning")
    assert partition_count(sliced) == 2


@pytest.mark.parametrize("kind", sorted(PARTITION_WISE))
def test_slice_of_a_partition_wise_operator_slices_every_input(kind: str) -> None:
    """Partition p of the output is made of partition p of each input."""
    inputs = [scan("a", 3)]
    if kind in {"interleave", "sort_merge_join", "symmetric_hash_join"}:
        inputs.append(scan("b", 3))
    root = pv.node(kind, None, *inputs)
    assert partition_count(root) == 3
    sliced = slice_plan(root, [2])
    assert read(sliced) == [files(name, 2) for name, _ in zip("ab", inputs, strict=False)]


def test_slice_of_a_partitioned_join_slices_both_sides() -> None:
    """Both sides have the same keys in the same partition."""
    sliced = slice_plan(hash_join(scan("a", 4), scan("b", 4), JoinMode.PARTITIONED), [0, 3])
    assert read(sliced) == [files("a", 0, 3), files("b", 0, 3)]


@pytest.mark.parametrize("kind", [*sorted(LEFT_COLLAPSING), "hash_join"])
def test_slice_of_a_join_that_collects_its_left_side_keeps_all_of_it(kind: str) -> None:
    """Every task needs the whole build side: a slice of it would lose partners."""
    left = pv.node("merge", None, scan("a", 3))
    root = pv.node(kind, None, left, scan("b", 4))
    assert partition_count(root) == 4
    assert read(slice_plan(root, [2])) == [files("a", 0, 1, 2), files("b", 2)]


@pytest.mark.parametrize("kind", sorted(COLLAPSING))
def test_slice_below_a_collapse_keeps_all_partitions(kind: str) -> None:
    """A threshold over some of the rows is a wrong threshold."""
    root = pv.node(kind, None, scan("a", 3))
    assert partition_count(root) == 1
    assert read(slice_plan(root, [0])) == [files("a", 0, 1, 2)]
    join = hash_join(pv.node("filter", None, root), scan("b", 2), JoinMode.COLLECT_LEFT)
    assert read(slice_plan(join, [1])) == [files("a", 0, 1, 2), files("b", 1)]
    with pytest.raises(InternalError, match="which every task wants whole"):
        slice_plan(root, [1])


def test_slice_of_a_sort_is_per_partition_or_not_at_all() -> None:
    """A sort that keeps partitions has as many as its input; another has one."""
    kept = pv.node("sort", pb.SortExecNode(preserve_partitioning=True), scan("a", 3))
    assert partition_count(kept) == 3
    assert read(slice_plan(kept, [1])) == [files("a", 1)]
    whole = pv.node("sort", None, scan("a", 1))
    assert partition_count(whole) == 1
    assert slice_plan(whole, [0]) is whole


def test_slice_of_a_union_maps_numbers_branch_by_branch() -> None:
    """A union numbers its partitions one branch after the other."""
    union = pv.node("union", None, scan("a", 2), scan("b", 1), scan("c", 3))
    assert partition_count(union) == 6
    assert read(slice_plan(union, [1, 2, 5])) == [files("a", 1), files("b", 0), files("c", 2)]


def test_slice_of_a_union_drops_branches_that_nobody_wants() -> None:
    """A branch whose partitions run elsewhere is not even opened; one alone needs no union."""
    union = pv.node("union", None, scan("a", 2), scan("b", 1), scan("c", 3))
    sliced = slice_plan(pv.node("filter", None, union), [3, 4])
    assert [node.kind for node in sliced.walk()] == ["filter", "parquet_scan"]
    assert read(sliced) == [files("c", 0, 1)]


def test_slice_keeps_the_positions_of_what_is_left() -> None:
    """What a task measures of an operator is told by its place in the whole fragment."""
    union = pv.node("union", None, scan("a", 2), pv.node("filter", None, scan("b", 2)))
    root = pv.parse(pv.serialize(pv.hash_repartition(union, [], 4)))
    assert [node.position for node in root.walk()] == [0, 1, 2, 3, 4]
    assert [node.position for node in slice_plan(root, [0, 2]).walk()] == [0, 1, 2, 3, 4]
    assert [node.position for node in slice_plan(root, [3]).walk()] == [0, 3, 4]


def test_slice_of_nested_unions_counts_all_branches() -> None:
    """A branch may be a union, or a join under one."""
    inner = pv.node("union", None, scan("a", 1), scan("b", 2))
    join = hash_join(pv.node("merge", None, scan("x", 2)), inner, JoinMode.COLLECT_LEFT)
    outer = pv.node("union", None, scan("c", 1), pv.node("projection", None, join))
    assert partition_count(outer) == 4
    assert read(slice_plan(outer, [3])) == [files("x", 0, 1), files("b", 1)]


def test_slice_of_a_scalar_subquery_keeps_its_values() -> None:
    """Each task needs the value of the subquery, which is made of all its rows."""
    root = pv.node("scalar_subquery", None, scan("a", 3), pv.node("merge", None, scan("v", 2)))
    assert partition_count(root) == 3
    assert read(slice_plan(root, [1])) == [files("a", 1), files("v", 0, 1)]


def test_slice_of_generated_leaves_gives_them_to_one_task() -> None:
    """Rows that come from nowhere are made once: by the task that has their partition."""
    leaves = [pv.node("placeholder_row"), pv.node("generate_series"), pv.node("empty")]
    union = pv.node("union", None, *leaves, scan("a", 2))
    assert partition_count(union) == 5
    assert [node.kind for node in slice_plan(union, [1]).walk()] == ["generate_series"]
    assert [node.kind for node in slice_plan(union, [4]).walk()] == ["parquet_scan"]


def test_slice_of_rows_in_the_plan_keeps_their_partitions() -> None:
    """VALUES may have several partitions."""
    root = pv.node("memory_scan", pb.MemoryScanExecNode(partitions=[b"0", b"1", b"2"]))
    assert list(slice_plan(root, [0, 2]).body.partitions) == [b"0", b"2"]
    several = pv.node("empty", pb.SchemaLeafNode(partitions=3))
    assert slice_plan(several, [1, 2]).body.partitions == 2
    with pytest.raises(InternalError):
        slice_plan(pv.node("generate_series"), [1])


def test_slice_at_the_way_out_slices_the_input_and_keeps_all_outputs() -> None:
    """A hash repartition on top is the exchange: its partitions are those of the next stage."""
    out = pv.hash_repartition(scan("a", 3), [pv.column("a", 0)], 5)
    for root in (out, pv.node("projection", None, out)):
        sliced = slice_plan(root, [2])
        assert read(sliced) == [files("a", 2)]
        assert partition_count(sliced) == 5


def test_partition_count_of_a_repartition_is_what_it_makes() -> None:
    """By hash or in turn."""
    for spread in (pb.Partitioning(round_robin=7), pb.Partitioning(unknown=7)):
        body = pb.RepartitionExecNode(partitioning=spread)
        assert partition_count(PlanNode("repartition", body, [scan("a", 2)])) == 7
    ranged = pb.RepartitionExecNode(partitioning=pb.Partitioning(range=b""))
    with pytest.raises(UnsupportedError):
        partition_count(PlanNode("repartition", ranged, [scan("a", 2)]))


def test_partition_count_of_inputs_that_do_not_match_is_refused() -> None:
    """Partition p of both sides cannot be joined where one side has no p."""
    with pytest.raises(UnsupportedError, match=r"equally many partitions: got \[2, 3\]"):
        partition_count(hash_join(scan("a", 2), scan("b", 3), JoinMode.PARTITIONED))


@pytest.mark.parametrize("kind", ["json_sink", "explain", "extension"])
def test_partition_count_of_an_operator_without_a_rule_is_refused(kind: str) -> None:
    """What is not known is not sliced."""
    children = [] if kind == "explain" else [scan("a", 2)]
    with pytest.raises(UnsupportedError, match="a rule covers"):
        partition_count(pv.node(kind, None, *children))


def test_every_operator_of_the_view_has_a_rule_or_is_refused() -> None:
    """A new operator in the view has to be thought about here."""
    ruled = (
        PARTITION_WISE
        | COLLAPSING
        | LEFT_COLLAPSING
        | pv.FILE_SCAN_KINDS
        | {"memory_scan", "empty", "placeholder_row", "generate_series"}
        | {"union", "sort", "scalar_subquery", "repartition", "hash_join"}
    )
    refused = {"explain", "extension", "csv_sink", "json_sink", "parquet_sink"}
    known = {each.name for each in pb.PhysicalPlanNode.DESCRIPTOR.fields}
    assert ruled | refused == known
    assert not ruled & refused
