"""Local mode: everything inside the caller's process."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

import springald

_PROGRAM = """
    import json, socket, subprocess
    import psutil

    def forbidden(*_, **__):
        raise AssertionError("local mode opens no socket and starts no process")

    socket.socket.connect = socket.socket.bind = forbidden
    subprocess.Popen.__init__ = forbidden
    import springald

    with springald.connect(**{"springald.distribution": "always"}) as con:
        con.register("pairs", {"k": [1, 2, 1, 2], "v": [1, 2, 3, 4]})
        rows = con.sql("SELECT k, sum(v) AS v FROM pairs GROUP BY k ORDER BY k").to_pydict()
        own = psutil.Process()
        seen = {
            "rows": rows,
            "children": len(own.children(recursive=True)),
            "sockets": len(own.net_connections(kind="all")),
        }
    print(json.dumps(seen))
"""


def test_local_mode_query_opens_no_socket_and_starts_no_process() -> None:
    """A query in local mode runs in the caller's process alone."""
    program = textwrap.dedent(_PROGRAM)
    ran = subprocess.run(  # noqa: S603 - the program above
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    assert json.loads(ran.stdout) == {
        "rows": {"k": [1, 2], "v": [4, 6]},
        "children": 0,
        "sockets": 0,
    }
    assert ran.stderr == ""


def test_local_mode_error_is_the_cluster_s_error() -> None:
    """A failed query in local mode raises the same class as on a cluster."""
    with springald.connect() as con:
        with pytest.raises(springald.errors.DivisionByZeroError):
            con.sql("SELECT 1 / (value - value) FROM generate_series(1, 3)").to_arrow()
        assert con.sql("SELECT 1 AS one").to_pydict() == {"one": [1]}


def test_local_mode_connections_do_not_share_tables() -> None:
    """Each connection has a catalog of its own."""
    with springald.connect() as one, springald.connect() as other:
        one.register("t", {"x": [1]})
        other.register("t", {"x": [2]})
        answers = [con.sql("SELECT x FROM t").to_pydict() for con in (one, other)]
    assert answers == [{"x": [1]}, {"x": [2]}]


def test_local_mode_has_the_memory_that_it_is_given() -> None:
    """Each slot has its share, and a task that needs more fails and says how much it had."""
    query = "SELECT value FROM generate_series(1, 3000000) ORDER BY value % 1000, value"
    memory = (32 << 20) * len(os.sched_getaffinity(0))
    with springald.connect(None, **{"springald.local_memory": memory}) as con:
        (executor,) = con.executors()
        assert executor.memory_bytes == memory
        with pytest.raises(springald.errors.OutOfMemoryError, match=r"32\.0 MB"):
            con.sql(query).to_arrow()


@pytest.mark.parametrize("given", [0, -1, 1000, "2 GiB", ""])
def test_local_mode_with_too_little_memory_is_refused(given: object) -> None:
    """An engine that may take nothing answers nothing."""
    with pytest.raises(springald.errors.InvalidArgumentError, match="at least"):
        springald.connect(None, **{"springald.local_memory": given})


def test_memory_of_a_cluster_is_not_the_client_s_to_give() -> None:
    """Executors have theirs from whoever starts them."""
    with pytest.raises(springald.errors.InvalidArgumentError, match="give it to the executors"):
        springald.connect("springald://localhost:1", **{"springald.local_memory": 1 << 30})
