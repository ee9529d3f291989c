"""Where tables may be read from: only below the folders that the operator named."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import springald
from cluster.fixtures import started_in
from cluster.footprint import Footprint
from cluster.occupied import occupied
from cluster.tables import NUMBERS_ROWS, SPREAD
from cluster.waiting import wait_until
from springald.errors import DataFileNotFoundError, FileChangedError, PathNotAllowedError


@pytest.fixture(scope="module")
def allowed(tmp_path_factory: pytest.TempPathFactory, numbers: Path, busy: Path) -> Path:
    """The one folder that the module's cluster may read; beside it lies one with a longer name."""
    home = tmp_path_factory.mktemp("place")
    shutil.copytree(numbers, home / "in" / "numbers")
    shutil.copytree(busy, home / "in" / "busy")
    shutil.copytree(numbers, home / "in-not" / "numbers")
    return home / "in"


@pytest.fixture(scope="module")
def numbers_allowed(allowed: Path) -> Path:
    """The table in the allowed folder."""
    return allowed / "numbers"


@pytest.fixture(scope="module")
def footprint(tmp_path_factory: pytest.TempPathFactory) -> Footprint:
    """Looks at the module's own cluster from outside."""
    return Footprint(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def cluster(footprint: Footprint, allowed: Path) -> Iterator[springald.LocalCluster]:
    """A cluster that may read one folder only."""
    with started_in(footprint, allow_path=json.dumps([str(allowed)])) as started:
        yield started


@pytest.fixture
def con(cluster: springald.LocalCluster, numbers_allowed: Path) -> Iterator[springald.Connection]:
    """A session whose table is still readable when the test is over."""
    with cluster.connect(**SPREAD) as connection:
        connection.register_parquet("numbers", numbers_allowed)
        yield connection
        assert connection.table("numbers").count() == NUMBERS_ROWS


def test_table_below_an_allowed_folder_is_read(con: springald.Connection, allowed: Path) -> None:
    """Paths, file URLs and paths with dots that stay inside are read."""
    for number, path in enumerate((
        f"{allowed}/numbers/",
        f"file://{allowed}/numbers/",
        f"{allowed}/busy/../numbers/",
        f"{allowed}/numbers/part-*.parquet",
    )):  # fmt: skip
        con.sql(f"CREATE EXTERNAL TABLE t{number} STORED AS PARQUET LOCATION '{path}'")
        assert con.table(f"t{number}").count() == NUMBERS_ROWS


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/",
        "{allowed}/../in-not/numbers/",
        "{allowed}-not/numbers/",
        "{allowed}/../../../../../../../../etc/passwd",
        "{allowed}/numbers/../../in-not/numbers/part-0.parquet",
        "file:///etc/passwd",
        "file://{allowed}/../in-not/numbers/",
        "file://{allowed}/%2e%2e/in-not/numbers/",
        "file://elsewhere{allowed}/numbers/",
        "FILE:///etc/passwd",
        "file:/etc/passwd",
        "http://127.0.0.1:1/numbers.parquet",
        "https://127.0.0.1:1/numbers.parquet",
        "s3://bucket/numbers/",
        "gs://bucket/numbers/",
        "memory://numbers/",
        "{allowed}-no*/numbers/",
        "/proc/self/environ",
    ],
)
def test_path_that_escapes_is_refused(con: springald.Connection, allowed: Path, path: str) -> None:
    """Whatever leads outside is refused by statement and by call, and no table comes of it."""
    location = path.format(allowed=allowed)
    with pytest.raises((PathNotAllowedError, DataFileNotFoundError)) as raised:
        con.sql(f"CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{location}'")
    _check_says_nothing(raised.value)
    with pytest.raises((PathNotAllowedError, DataFileNotFoundError)) as raised:
        con.register_parquet("t", location)
    _check_says_nothing(raised.value)
    assert list(con.tables()) == ["numbers"]


def _check_says_nothing(error: springald.SpringaldError) -> None:
    """What lies outside must not be told, not even whether it is there."""
    if isinstance(error, DataFileNotFoundError):
        assert "file:/" in error.message
        assert "root:" not in error.message


@pytest.mark.parametrize("form", ["parquet", "csv", "json", "arrow"])
def test_link_that_leads_outside_is_refused(
    con: springald.Connection, allowed: Path, form: str
) -> None:
    """A link below an allowed folder does not open what lies outside."""
    folder = allowed / f"links-{form}"
    folder.mkdir()
    (folder / f"link.{form}").symlink_to("/etc/passwd")
    for path in (f"{folder}/", f"{folder}/link.{form}", f"{folder}/*.{form}"):
        with pytest.raises(PathNotAllowedError):
            _make_and_read(con, form, path)
        con.sql("DROP TABLE IF EXISTS t")


def _make_and_read(con: springald.Connection, form: str, path: str) -> None:
    con.sql(f"CREATE EXTERNAL TABLE t STORED AS {form} LOCATION '{path}'")
    con.table("t").to_arrow()


def test_link_made_after_registering_is_not_followed(
    con: springald.Connection, allowed: Path
) -> None:
    """A link that comes later, in the folder of a table, does not open what lies outside."""
    folder = allowed / "later"
    shutil.copytree(allowed / "numbers", folder)
    con.register_parquet("t", folder)
    outside = allowed.with_name("in-not") / "numbers" / "part-0.parquet"
    (folder / "more.parquet").symlink_to(outside)
    with pytest.raises(PathNotAllowedError):
        con.sql("SELECT max(s) FROM t").to_arrow()


def test_link_put_in_place_of_a_planned_file_is_not_followed(
    con: springald.Connection, cluster: springald.LocalCluster, allowed: Path
) -> None:
    """A file that becomes a link between planning and reading is not followed by the task."""
    folder = allowed / "swapped"
    shutil.copytree(allowed / "numbers", folder)
    con.register_parquet("t", folder)
    victim = folder / "part-3.parquet"
    before = victim.stat()
    outside = allowed.with_name("in-not") / "numbers" / victim.name
    os.utime(outside, ns=(before.st_atime_ns, before.st_mtime_ns))
    with occupied(cluster, allowed / "busy"):
        job = con.sql("SELECT k, max(s) FROM t GROUP BY k").execute()
        wait_until(lambda: job.progress.tasks_total > 0, "the query is planned")
        assert job.progress.tasks_running == 0, "no slot is free, so nothing was read yet"
        victim.unlink()
        victim.symlink_to(outside)
    with pytest.raises((PathNotAllowedError, FileChangedError)):
        job.result()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM '/etc/passwd'",
        'SELECT * FROM "/etc/passwd"',
        "SELECT * FROM 'file:///etc/passwd'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "COPY (SELECT 1) TO '{allowed}/../out.parquet'",
        "COPY (SELECT 1) TO 'file://{allowed}/../out.parquet'",
        "CREATE VIEW t AS SELECT * FROM '/etc/passwd'",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION $$/etc/passwd$$",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION E'/etc/passwd'",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{allowed}/numbers' LOCATION '/etc/passwd'",
        (
            "CREATE EXTERNAL TABLE t (a VARCHAR) STORED AS CSV /* LOCATION '{allowed}' */ "
            "LOCATION '/etc/passwd'"
        ),
        "CREATE EXTERNAL TABLE location STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE UNBOUNDED EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE OR REPLACE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE EXTERNAL TABLE IF NOT EXISTS t STORED AS CSV LOCATION '/etc/passwd'",
        "EXPLAIN CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
    ],
)
def test_statement_cannot_reach_outside_by_another_way(
    con: springald.Connection, allowed: Path, sql: str
) -> None:
    """No form of SQL reads or writes outside of what is allowed."""
    with pytest.raises(springald.CallerError):
        con.sql(sql.format(allowed=allowed)).to_arrow()
    assert list(con.tables()) == ["numbers"]
    assert not (allowed.parent / "out.parquet").exists()
