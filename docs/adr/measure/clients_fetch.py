"""Compares how fast the C++, Java and Python clients fetch a large table (ADRs 0017 and 0018).

python docs/adr/measure/clients_fetch.py FOLDER_OF_PARQUET [ROUNDS]

Each client waits for the job and then takes all batches, keeping none: in place, and over Flight.
They take turns, a process and a round each time, but for Java: what its first rounds take is the
machine's warming up, so that it has all its rounds in one process, and those of the first half
do not count. Python is asked twice: with its own types, and with those that Java asks for, which
have no views. The cluster has the C++ build and `mvn test-compile` beside it.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import springald

_ROOT = Path(__file__).parents[3]
_CPP = _ROOT / "cpp-examples" / "build" / "tests" / "fetch_rate"
_JAVA = _ROOT / "java-bindings" / "target"
_TYPES_OF_JAVA = "decimal32,decimal64,utf8_view,binary_view"


def main() -> None:
    """Prints the seconds of each round, the medians, and each client's rate against Python's."""
    folder = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    for way in ("in_place", "flight"):
        with springald.LocalCluster(2, 1, read_in_place=way == "in_place") as cluster:
            _compare(cluster, folder, way, rounds)


def _compare(cluster: springald.LocalCluster, folder: str, way: str, rounds: int) -> None:
    turns: dict[str, Callable[[], list[float]]] = {
        "python": lambda: [_python(cluster, folder)],
        "python, types of java": lambda: [_python(cluster, folder, _TYPES_OF_JAVA)],
        "c++": lambda: _program([str(_CPP)], cluster.url, folder, way, 1),
    }
    took: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(rounds):
        for name, turn in turns.items():
            took[name] += turn()
    took["java"] = _program(_java(), cluster.url, folder, way, 2 * rounds)[rounds:]
    for name, seconds in took.items():
        shown = " ".join(f"{each:.2f}" for each in seconds)
        ratio = median(took["python"]) / median(seconds)
        print(f"{way}: {name}: {median(seconds):.2f} s of {shown}; {ratio:.2f} of python's rate")


def _python(cluster: springald.LocalCluster, folder: str, unsupported: str = "") -> float:
    settings = {"springald.unsupported_types": unsupported} if unsupported else {}
    with cluster.connect(**settings) as con:
        con.register_parquet("t", folder)
        job = con.sql("SELECT * FROM t").execute()
        job.wait()
        start = time.perf_counter()
        for batch in job.result_batches():
            batch.num_rows  # noqa: B018 - rows are looked at, and let go
        return time.perf_counter() - start


def _java() -> list[str]:
    libraries = (_JAVA / "test.classpath").read_text().strip()
    path = f"{_JAVA / 'classes'}:{_JAVA / 'test-classes'}:{libraries}"
    flags = ["--add-opens=java.base/java.nio=ALL-UNNAMED"]
    return ["java", *flags, "-cp", path, "dev.springald.FetchRate"]


def _program(command: list[str], *arguments: object) -> list[float]:
    words = [*command, *map(str, arguments)]
    ran = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603 - ours
    return [float(line.split()[1]) for line in ran.stdout.splitlines()]


if __name__ == "__main__":
    main()
