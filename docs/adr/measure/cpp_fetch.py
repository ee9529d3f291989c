"""Compares how fast the C++ and the Python client fetch a large table (ADR 0018).

python docs/adr/measure/cpp_fetch.py FOLDER_OF_PARQUET [ROUNDS]

Each client waits for the job and then takes all batches, keeping none: in place, and over Flight.
"""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import springald

_PROGRAM = Path(__file__).parents[3] / "cpp-examples" / "build" / "tests" / "fetch_rate"


def main() -> None:
    """Prints the seconds of each round, and the medians."""
    folder = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    for way in ("in_place", "flight"):
        with springald.LocalCluster(2, 1, read_in_place=way == "in_place") as cluster:
            theirs = _python(cluster, folder, rounds)
            ours = _cpp(cluster.url, folder, way, rounds)
        print(f"{way}: python {_shown(theirs)}, c++ {_shown(ours)}")
        print(f"  c++ has {median(theirs) / median(ours):.2f} of the Python client's rate")


def _python(cluster: springald.LocalCluster, folder: str, rounds: int) -> list[float]:
    took = []
    with cluster.connect() as con:
        con.register_parquet("t", folder)
        for _ in range(rounds):
            job = con.sql("SELECT * FROM t").execute()
            job.wait()
            start = time.perf_counter()
            n_bytes = sum(batch.nbytes for batch in job.result_batches())
            took.append(time.perf_counter() - start)
    print(f"{n_bytes / 1e9:.2f} GB")
    return took


def _cpp(url: str, folder: str, way: str, rounds: int) -> list[float]:
    command = [str(_PROGRAM), url, folder, way, str(rounds)]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ours
    return [float(line.split()[1]) for line in ran.stdout.splitlines()]


def _shown(seconds: list[float]) -> str:
    return f"{median(seconds):.2f} s of " + " ".join(f"{each:.2f}" for each in seconds)


if __name__ == "__main__":
    main()
