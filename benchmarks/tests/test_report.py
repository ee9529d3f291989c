"""The report of the harness."""

import json
from dataclasses import replace

import pytest
from benchmarks.figures import Cell, Run
from benchmarks.meters import Usage
from benchmarks.process import Resources
from benchmarks.report import Measured, described_machine, markdown, replaced, written
from benchmarks.runner import Outcome
from benchmarks.workloads.workload import Kind

ENGINE = {"q01": Cell([Run(2.0), Run(1.0)]), "q02": Cell([Run(1.0)])}
CLUSTER = {
    "q01": Cell([Run(1.5, counters={"bytes_shuffled": 3 << 20})]),
    "q02": Cell([Run(0.1)], "rows differ: got 1, want 2"),
}


def _measured(
    kind: Kind = Kind.QUERIES, outcome: Outcome | None = None, others_cpu_s: float = 0
) -> Measured:
    outcome = outcome or Outcome({"datafusion": ENGINE, "cluster-2x1": CLUSTER})
    idle = Usage(seconds=1, others_cpu_s=others_cpu_s)
    outcome = replace(outcome, idle=dict.fromkeys(outcome.cells, idle))
    machine = {**described_machine(Resources(2, 1 << 30), []), "cores_of_machine": 2}
    return Measured("tpch", "TPC-H SF 1", kind, 2, outcome, machine)


def test_failed_query_stays_in_the_table() -> None:
    """A failed query is shown as FAIL, with the reason, and is not counted as finished."""
    text = markdown(_measured())
    assert "| q02 | 1.000 | FAIL |" in text
    assert "- cluster-2x1 q02: rows differ: got 1, want 2" in text
    assert "| cluster-2x1 | 1 of 2 | 1.50 |" in text


def test_query_shows_its_ratio_to_the_reference() -> None:
    """The best run of each place counts, and its ratio to the engine alone is beside it."""
    assert "| q01 | 1.000 | 1.500 (1.50) |" in markdown(_measured())


@pytest.mark.parametrize(("others_cpu_s", "word"), [(0.05, "quiet"), (0.5, "**loaded**")])
def test_report_says_whether_the_machine_was_quiet(others_cpu_s: float, word: str) -> None:
    """Figures of a machine that others used are marked, by what the others were seen to take."""
    assert f"The machine was {word}:" in markdown(_measured(others_cpu_s=others_cpu_s))


def test_json_holds_every_run() -> None:
    """A program reads all runs, failures and the kind of workload, not only the best."""
    plain = json.loads(written([_measured()]))["tpch"]
    assert plain["kind"] == "queries"
    cells = plain["outcome"]["cells"]
    assert [run["seconds"] for run in cells["datafusion"]["q01"]["runs"]] == [2.0, 1.0]
    assert cells["cluster-2x1"]["q02"]["failure"]


def test_command_is_told_without_paths() -> None:
    """The command that is written down says what was measured, not where its figures went."""
    words = ["--scale", "1", "--json", "figures.json", "--publish", "--runs", "2"]
    machine = described_machine(Resources(2, 1 << 30), words)
    assert machine["command"] == "./dev bench --scale 1 --runs 2"


def test_replaced_section_leaves_the_rest() -> None:
    """Publishing one workload changes its own section only."""
    text = replaced(replaced("# Title\n", "a", "one"), "b", "two")
    again = replaced(text, "a", "three")
    assert again.startswith("# Title\n<!-- begin a -->\nthree\n<!-- end a -->\n")
    assert again.endswith("<!-- begin b -->\ntwo\n<!-- end b -->\n")
    assert "one" not in again


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_workload_shows_a_place_that_failed(kind: Kind) -> None:
    """Whatever is reported, a place in which nothing ran has its line."""
    nothing = {name: Cell(failure="does not start") for name in ("a", "b")}
    counters = {"per_second": 1.0, "p50_s": 1.0, "p95_s": 1.0, "tasks": 2.0}
    engine = {name: Cell([Run(1.0, counters=counters)]) for name in ("a", "b")}
    text = markdown(_measured(kind, Outcome({"datafusion": engine, "sail": nothing})))
    assert "FAIL" in text
    assert "- sail a, b: does not start" in text
