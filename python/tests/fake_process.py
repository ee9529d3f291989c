"""What stands in for the scheduler's and the executor's programs: as little as a cluster needs.

The environment variable `FAKE_FAULT` makes it misbehave: `exit N`, `mute` (never ready), `deaf`
(does not stop when asked to), `litter` (leaves a process behind).
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from fake_cluster import FakeCluster

from springald.lifeline import watch_parent


def main(program: str) -> None:
    """Runs as the scheduler or the executor until it is told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bind", default="127.0.0.1:0")
    parser.add_argument("--ready-file", type=Path, required=True)
    parser.add_argument("--executor-id", default="")
    parser.add_argument("--work-dir", type=Path)
    parser.add_argument("--stop-on-stdin-eof", action="store_true")
    options, others = parser.parse_known_args()
    stop = threading.Event()
    fault = os.environ.get(f"FAKE_FAULT_{program.upper()}", "")
    if fault != "deaf":
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        watch_parent(stop.set)
    sys.stderr.write(f"{program} runs with {' '.join(others)}\n")
    if fault.startswith("exit"):
        sys.exit(int(fault.removeprefix("exit ")))
    if fault == "mute":
        stop.wait()
        return
    ready = {"executor_id": options.executor_id, "flight_address": "here", "pid": os.getpid()}
    cluster = None
    if fault == "litter":
        child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        ready["litter"] = child.pid
        sys.stderr.write(f"litter {child.pid}\n")
    if program == "scheduler":
        cluster = FakeCluster(options.bind)
        ready["address"] = f"127.0.0.1:{cluster.port}"
    else:
        options.work_dir.mkdir()
        (options.work_dir / "shuffle.arrow").write_bytes(b"rows")
    draft = options.ready_file.with_suffix(".draft")
    draft.write_text(json.dumps(ready))
    draft.rename(options.ready_file)
    stop.wait()
    if cluster is not None:
        cluster.close()
