"""Which partition of a fragment reads which partition of a leaf: what slicing keeps, foretold."""

import pytest

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.modes import JoinMode
from springald.engine.plan_view import PlanNode
from springald.engine.reading import read_offsets
from springald.engine.slicing import partition_count, slice_plan


def scan(name: str, partitions: int) -> PlanNode:
    """A scan whose partition p reads one file, `name/p`."""
    groups = [
        pb.FileGroup(files=[pb.PartitionedFile(path=f"{name}/{p}")]) for p in range(partitions)
    ]
    conf = pb.FileScanExecConf(file_groups=groups)
    return PlanNode("parquet_scan", pb.FileScanNode(base_conf=conf.SerializeToString()))


def join(left: PlanNode, right: PlanNode, mode: int) -> PlanNode:
    """A hash join of a mode."""
    return pv.node("hash_join", pb.HashJoinExecNode(partition_mode=mode), left, right)


def sort(child: PlanNode, *, preserve: bool) -> PlanNode:
    """A sort of each partition, or of all together."""
    return pv.node("sort", pb.SortExecNode(preserve_partitioning=preserve), child)


def offsets(root: PlanNode) -> dict[str, int | None]:
    """The offset of each scan, by its name."""
    found = read_offsets(root)
    return {
        pv.scan_conf(node).file_groups[0].files[0].path.split("/")[0]: found[id(node)]
        for node in root.walk()
        if not node.children
    }


PLANS: dict[str, tuple[PlanNode, dict[str, int | None]]] = {
    "wise": (pv.node("filter", None, scan("a", 3)), {"a": 0}),
    "way out": (pv.hash_repartition(scan("a", 3), [b""], 4), {"a": 0}),
    "way out below a projection": (
        pv.node("projection", None, pv.hash_repartition(scan("a", 3), [b""], 4)),
        {"a": 0},
    ),
    "union": (pv.node("union", None, scan("a", 2), scan("b", 3)), {"a": 0, "b": 2}),
    "union in union": (
        pv.node("union", None, pv.node("union", None, scan("a", 2), scan("b", 1)), scan("c", 2)),
        {"a": 0, "b": 2, "c": 3},
    ),
    "partitioned": (join(scan("a", 2), scan("b", 2), JoinMode.PARTITIONED), {"a": 0, "b": 0}),
    "collects left": (join(scan("a", 1), scan("b", 2), JoinMode.COLLECT_LEFT), {"a": None, "b": 0}),
    "cross": (pv.node("cross_join", None, scan("a", 1), scan("b", 2)), {"a": None, "b": 0}),
    "merge": (pv.node("merge", None, scan("a", 2)), {"a": None}),
    "sort of partitions": (sort(scan("a", 2), preserve=True), {"a": 0}),
    "sort of all": (sort(scan("a", 2), preserve=False), {"a": None}),
    "subquery": (
        pv.node("scalar_subquery", None, scan("a", 2), scan("b", 1)),
        {"a": 0, "b": None},
    ),
}


@pytest.mark.parametrize("name", PLANS)
def test_offset_of_a_leaf_is_certain_or_none(name: str) -> None:
    """What is promised of a leaf holds; where an operator reads more, nothing is promised."""
    root, wanted = PLANS[name]
    assert offsets(root) == wanted


@pytest.mark.parametrize("name", PLANS)
def test_offset_of_a_leaf_agrees_with_slicing(name: str) -> None:
    """A slice of one partition reads no partition of a leaf but the one that the offset names."""
    root, wanted = PLANS[name]
    count = 3 if name.startswith("way out") else partition_count(root)
    for partition in range(count):
        for node in slice_plan(root, [partition]).walk():
            if node.children:
                continue
            for group in pv.scan_conf(node).file_groups:
                leaf, read = group.files[0].path.split("/")
                offset = wanted[leaf]
                assert offset is None or int(read) == partition - offset


def test_leaf_that_is_read_in_two_ways_promises_nothing() -> None:
    """One leaf below two operators is read by what either reads."""
    leaf = scan("a", 2)
    assert offsets(pv.node("union", None, leaf, leaf)) == {"a": None}
