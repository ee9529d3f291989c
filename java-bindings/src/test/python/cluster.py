"""A cluster for the tests of the Java bindings, which ends when its standard input does.

It writes one line of JSON when it is ready: where clients connect, and the folders of the tables of
TPC-H. After that each line on standard input is an order, answered by one line.
"""

import json
import sys
from pathlib import Path

import springald

sys.path.append(str(Path(__file__).resolve().parents[4] / "integration-tests"))

from tpch.data import table_folders

_SCALE = 0.01


def main() -> None:
    """Starts two executors with a slot each, and obeys."""
    folders = {name: str(folder) for name, folder in table_folders(_SCALE).items()}
    with springald.LocalCluster(executors=2, slots=1) as cluster:
        print(json.dumps({"url": cluster.url, "tables": folders}), flush=True)
        for order in sys.stdin:
            print(_obeyed(cluster, order.strip()), flush=True)


def _obeyed(cluster: springald.LocalCluster, order: str) -> str:
    match order.split():
        case ["restart-scheduler"]:
            cluster.restart_scheduler()
        case ["replace-executors"]:
            former = cluster.executors
            cluster.add_executor()
            for executor in former:
                executor.kill()
        case _:
            return f"no such order: {order}"
    return "done"


if __name__ == "__main__":
    main()
