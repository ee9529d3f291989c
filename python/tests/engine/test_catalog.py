"""Where tables may be read from, and how a session's tables are made in an engine session."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from springald.engine.catalog import AllowedPaths, CatalogEntry, apply_entry, build, quoted
from springald.engine.session import make_context
from springald.errors import (
    DataFileNotFoundError,
    InternalError,
    InvalidArgumentError,
    PathNotAllowedError,
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder that may be read, `open`, beside one that may not, `closed`; both have a file."""
    for name in ("open", "closed", "open-too"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file.csv").write_text("a\n1\n")
    return tmp_path


@pytest.fixture
def allowed(home: Path) -> AllowedPaths:
    """Allows the open folder."""
    return AllowedPaths([home / "open"])


def test_check_location_inside_is_the_path_itself(home: Path, allowed: AllowedPaths) -> None:
    """A folder ends in a slash, so that the engine lists it."""
    folder = f"{home}/open"
    assert allowed.check_location(f"{folder}/file.csv") == f"{folder}/file.csv"
    assert allowed.check_location(folder) == f"{folder}/"
    assert allowed.check_location(f"{folder}/") == f"{folder}/"
    assert allowed.check_location(f"file://{folder}/file.csv") == f"{folder}/file.csv"
    assert allowed.check_location(f"file://localhost{folder}/file%2Ecsv") == f"{folder}/file.csv"
    assert allowed.check_location(f"{folder}/*.csv") == f"{folder}/*.csv"


@pytest.mark.parametrize(
    "location",
    [
        "{home}/closed/file.csv",
        "{home}/open-too/file.csv",
        "{home}/open/../closed/file.csv",
        "{home}/open/none/../../closed/file.csv",
        "file://{home}/open/..%2Fclosed/file.csv",
        "file://{home}/open/%2e%2e/closed/file.csv",
        "FILE://{home}/closed/file.csv",
        "file://elsewhere{home}/open/file.csv",
        "{home}/*/file.csv",
        "{home}/clos?d/file.csv",
        "/etc/passwd",
        "relative/file.csv",
        "s3://bucket/open/file.csv",
        "http://127.0.0.1/file.csv",
        "{home}",
    ],
)
def test_check_location_outside_is_refused(
    home: Path, allowed: AllowedPaths, location: str
) -> None:
    """Dots, escapes, patterns, other hosts and other schemes lead nowhere else."""
    with pytest.raises(PathNotAllowedError):
        allowed.check_location(location.format(home=home))


@pytest.mark.parametrize("location", ["", "{home}/open/\0", "file://{home}/open/%00"])
def test_check_location_that_is_no_path_is_refused(
    home: Path, allowed: AllowedPaths, location: str
) -> None:
    """An empty text is not the folder in which the scheduler happens to run."""
    with pytest.raises(InvalidArgumentError):
        allowed.check_location(location.format(home=home))


def test_check_files_follows_links_of_files_and_of_folders(
    home: Path, allowed: AllowedPaths
) -> None:
    """What is looked at once for a folder holds for its files, but for those that are links."""
    (home / "open" / "inside.csv").symlink_to(home / "open" / "file.csv")
    (home / "open" / "outside.csv").symlink_to(home / "closed" / "file.csv")
    (home / "open" / "outside").symlink_to(home / "closed")
    (home / "into").symlink_to(home / "open")
    names = ("open/file.csv", "open/inside.csv", "into/file.csv", "into/inside.csv", "open/gone")
    allowed.check_files([f"{home}/{name}" for name in names])
    for name in (
        *("closed/file.csv", "open-too/file.csv", "open/outside.csv", "into/outside.csv"),
        *("open/outside/file.csv", "open/../closed/file.csv", "open/.."),
    ):
        with pytest.raises(PathNotAllowedError):
            allowed.check_files([f"{home}/open/file.csv", f"{home}/{name}"])


def test_check_files_takes_a_single_file_that_is_allowed(home: Path) -> None:
    """An operator may allow one file of a folder."""
    allowed = AllowedPaths([home / "open" / "file.csv"])
    allowed.check_files([f"{home}/open/file.csv"])
    with pytest.raises(PathNotAllowedError):
        allowed.check_files([f"{home}/open/other.csv"])


def test_check_location_of_nothing_is_not_found(home: Path, allowed: AllowedPaths) -> None:
    """What is not there is told apart from what may not be read."""
    for location in ("none.csv", "none/", "none/*.csv"):
        with pytest.raises(DataFileNotFoundError):
            allowed.check_location(f"{home}/open/{location}")


def test_check_location_follows_links(home: Path, allowed: AllowedPaths) -> None:
    """A link is what it leads to, wherever on the way it stands."""
    (home / "open" / "way out").symlink_to(home / "closed")
    (home / "open" / "within").symlink_to(home / "open" / "file.csv")
    with pytest.raises(PathNotAllowedError):
        allowed.check_location(f"{home}/open/way out/file.csv")
    with pytest.raises(PathNotAllowedError):
        allowed.check_location(f"{home}/open/")
    with pytest.raises(PathNotAllowedError):
        allowed.check_location(f"{home}/open/way*/file.csv")
    assert allowed.check_location(f"{home}/open/within") == f"{home}/open/within"


def test_check_location_follows_links_behind_links(home: Path, allowed: AllowedPaths) -> None:
    """What lies below the target of an allowed link is looked at too, and a circle ends."""
    table, other = home / "open" / "table", home / "open" / "other"
    table.mkdir()
    other.mkdir()
    (table / "part").symlink_to(other)
    (other / "circle").symlink_to(table)
    assert allowed.check_location(str(table)) == f"{table}/"
    (other / "way out").symlink_to(home / "closed" / "file.csv")
    with pytest.raises(PathNotAllowedError):
        allowed.check_location(str(table))


def test_check_of_a_link_to_the_allowed_folder_is_fine(home: Path) -> None:
    """An operator may name a folder by a link."""
    (home / "link").symlink_to(home / "open")
    allowed = AllowedPaths([home / "link"])
    assert allowed.check(f"{home}/open/file.csv") == str((home / "open" / "file.csv").resolve())
    assert allowed.check_location(f"{home}/link/file.csv") == f"{home}/link/file.csv"


def test_check_without_folders_allows_nothing(home: Path) -> None:
    """The default of a server that others reach."""
    with pytest.raises(PathNotAllowedError, match="no folder"):
        AllowedPaths([]).check(str(home / "open" / "file.csv"))


def _csv(name: str, path: Path) -> CatalogEntry:
    return CatalogEntry(
        name, format="csv", path=str(path), options=(("format.has_header", "true"),)
    )


def test_build_makes_views_after_what_they_stand_on(home: Path) -> None:
    """The order of the entries does not matter."""
    entries = [
        CatalogEntry("twice", statement="CREATE VIEW twice AS SELECT a * 2 AS b FROM once"),
        CatalogEntry("once", statement='CREATE VIEW once AS SELECT a FROM "It\'s ""it"""'),
        _csv('It\'s "it"', home / "open" / "file.csv"),
    ]
    context = make_context({}, partitions=1)
    assert build(context, entries, {}) == {}
    assert context.sql("SELECT * FROM twice").to_pylist() == [{"b": 2}]
    assert context.table(quoted(entries[2].name)).to_pylist() == [{"a": 1}]


def test_build_tells_what_could_not_be_made(home: Path) -> None:
    """One table that is gone does not take the others with it."""
    entries = [
        CatalogEntry("v", statement="CREATE VIEW v AS SELECT * FROM gone"),
        _csv("gone", home / "none.csv"),
        _csv("there", home / "open" / "file.csv"),
    ]
    context = make_context({}, partitions=1)
    failed = build(context, entries, {})
    assert set(failed) == {"v", "gone"}
    assert "No files found" in str(failed["gone"])
    assert context.sql("SELECT * FROM there").to_pylist() == [{"a": 1}]


def test_apply_entry_replaces_a_registered_table(tmp_path: Path) -> None:
    """Registering a name again is not an error, and the new files count."""
    context = make_context({}, partitions=1)
    for number in (1, 2):
        path = tmp_path / f"{number}.parquet"
        pq.write_table(pa.table({"a": [number]}), path)
        apply_entry(context, CatalogEntry("t", format="parquet", path=str(path)), {})
    assert context.sql("SELECT * FROM t").to_pylist() == [{"a": 2}]


def test_apply_entry_of_an_upload_reads_where_its_rows_lie(tmp_path: Path) -> None:
    """Scheduler and executor keep an upload's rows in different places."""
    with pa.ipc.new_file(tmp_path / "0.arrow", pa.schema([("a", pa.int64())])) as writer:
        writer.write_table(pa.table({"a": [5]}))
    context = make_context({}, partitions=1)
    entry = CatalogEntry("t", upload_id="u")
    apply_entry(context, entry, {"u": f"{tmp_path}/"})
    assert context.sql("SELECT * FROM t").to_pylist() == [{"a": 5}]
    with pytest.raises(InternalError, match="got none for u"):
        apply_entry(context, entry, {})


@pytest.mark.parametrize("kind", ["avro", "CSV", "", "csv; DROP TABLE x"])
def test_apply_entry_of_another_format_is_refused(kind: str) -> None:
    """A format is one of four words, since it is written into a statement."""
    with pytest.raises(InvalidArgumentError, match="parquet, csv, json, arrow"):
        apply_entry(make_context({}, partitions=1), CatalogEntry("t", format=kind, path="/x"), {})
