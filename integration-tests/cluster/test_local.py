"""Local mode: the same answers and errors in one process, without a socket or a child."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import springald
from cluster.tables import BUSY, SPREAD, SUMS, sums
from cluster.waiting import Stopwatch
from springald import JobStatus
from springald import errors as e

# Tells what it opened, started and left in the folder for temporary files while it was at work.
_PROGRAM = """
    import json, os, pathlib, sys, tempfile
    import psutil
    import springald

    me = psutil.Process()
    with springald.connect(**{"springald.distribution": "always"}) as con:
        con.register_parquet("numbers", sys.argv[1])
        con.register("sent", {"k": [0, 1], "name": ["zero", "one"]})
        job = con.sql(sys.argv[2]).execute()
        rows = job.result().to_pydict()
        joined = con.sql("SELECT count(*) AS n FROM numbers JOIN sent USING (k)").to_pydict()
        seen = {
            "rows": rows,
            "joined": joined["n"],
            "tasks": len(job.statistics().tasks),
            "children": [child.pid for child in me.children(recursive=True)],
            "sockets": [list(map(str, each.laddr)) for each in me.net_connections("inet")],
        }
    seen["left"] = os.listdir(tempfile.gettempdir())
    print(json.dumps(seen))
"""


def test_local_mode_opens_no_socket_and_starts_no_child(numbers: Path, tmp_path: Path) -> None:
    """Queries run in the caller's process, cut into stages as on a cluster, and leave nothing."""
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_PROGRAM), str(numbers), SUMS],
        env={"TMPDIR": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    told = json.loads(ran.stdout)
    assert told["rows"] == sums()
    assert told["joined"] == [sum(sums()["n"][:2])]
    assert told["tasks"] > 1
    assert told["children"] == []
    assert told["sockets"] == []
    assert told["left"] == []
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def local(numbers: Path) -> Iterator[springald.Connection]:
    """A session in this process, which answers when the test is over."""
    with springald.connect(**SPREAD) as con:
        con.register_parquet("numbers", numbers)
        yield con
        assert con.sql(SUMS).to_pydict() == sums()


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELEC 1", e.SqlSyntaxError),
        ("SELECT * FROM nowhere", e.UnknownTableError),
        ("SELECT nothing FROM numbers", e.UnknownColumnError),
        ("SELECT missing(id) FROM numbers", e.UnknownFunctionError),
        ("SELECT k, max(1 / (id - 7)) FROM numbers GROUP BY k", e.DivisionByZeroError),
        ("SELECT k, max(CAST(s || 'x' AS INT)) FROM numbers GROUP BY k", e.CastFailedError),
        ("SET datafusion.runtime.memory_limit = '1G'", e.ProtectedSettingError),
        ("DELETE FROM numbers", e.UnsupportedError),
        (f"SELECT {'(' * 1000}1{')' * 1000}", e.PlanTooDeepError),
        ("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '/no/such/file'",
         e.DataFileNotFoundError),
    ],
)  # fmt: skip
def test_local_mode_has_the_errors_of_a_cluster(
    local: springald.Connection, sql: str, kind: type[e.SpringaldError]
) -> None:
    """The same mistakes end in the same errors, and the session goes on."""
    with pytest.raises(kind) as raised:
        local.sql(sql).to_arrow()
    assert type(raised.value) is kind


def test_local_mode_runs_jobs(local: springald.Connection) -> None:
    """A job of local mode tells its progress and figures, and is listed."""
    job = local.sql(SUMS).execute()
    assert job.wait(30) is JobStatus.SUCCEEDED
    assert job.progress.fraction == 1.0
    assert job.statistics().bytes_shuffled > 0
    assert local.jobs()[0].id == job.id
    assert [executor.state for executor in local.executors()] == ["active"]
    assert local.url == "local"


def test_local_mode_streams(local: springald.Connection) -> None:
    """Large results stream, and a reader may be left."""
    with local.sql("SELECT value FROM generate_series(1, 3000000)").to_batches() as reader:
        assert reader.read_next_batch().num_rows > 0
    assert local.sql("SELECT value FROM generate_series(1, 1000000)").count() == 1_000_000


# Ends while the engine is at work on what was cancelled.
_CANCELLING_PROGRAM = """
    import sys
    import springald

    con = springald.connect(**{"springald.distribution": "always"})
    con.register_parquet("busy", sys.argv[1])
    job = con.sql(sys.argv[2]).execute()
    while not (job.progress.tasks_running and job.progress.stages_finished):
        job.wait(0.05)
    job.cancel()
    assert job.wait(2) is springald.JobStatus.CANCELLED, job.status
    assert con.sql("SELECT 1 AS one").to_pydict() == {"one": [1]}
    con.close()
"""


def test_local_mode_cancels_and_ends(busy: Path) -> None:
    """A cancelled job is over within two seconds, and keeps neither others nor the process."""
    watch = Stopwatch()
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_CANCELLING_PROGRAM), str(busy), BUSY],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert watch.elapsed_s < 20
