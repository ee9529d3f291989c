"""The C++ examples print what stands beside them."""

import pytest

import springald
from cpp.programs import EXAMPLES, run

NAMES = sorted(path.stem for path in EXAMPLES.glob("*.cpp"))


@pytest.mark.parametrize("name", NAMES)
def test_example_on_a_cluster_prints_what_stands_beside_it(
    name: str, patient: springald.LocalCluster
) -> None:
    """Each example runs as it is, and its output is the file of its name."""
    expected = (EXAMPLES / f"{name}.expected.txt").read_text()
    assert run(f"examples/{name}", patient.url).decode() == expected


def test_example_rows_from_another_host_come_over_flight() -> None:
    """Rows that cannot be read in place are the same rows, in as little memory."""
    with springald.LocalCluster(2, 1, read_in_place=False) as apart:
        printed = run("examples/stream", apart.url)
    assert printed.decode() == (EXAMPLES / "stream.expected.txt").read_text()
