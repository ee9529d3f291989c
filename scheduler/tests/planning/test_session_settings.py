"""What a session may set, and what keeps answers right whatever it sets."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from springald.engine.session import PINNED_SETTINGS
from springald.errors import (
    InvalidSettingError,
    ProtectedSettingError,
    SpringaldError,
    UnknownSettingError,
)
from springald.limits import PARTITIONS_MAX
from springald_scheduler.planning.model import Answered, ClusterShape
from springald_scheduler.planning.planner import Planner
from springald_scheduler.planning.session_settings import SessionSettings

SHAPE = ClusterShape((2, 2))


@pytest.fixture
def planner(tmp_path: Path) -> Iterator[Planner]:
    """A planner with a session `s`."""
    planner = Planner(["/"], tmp_path)
    planner.open_session("s", {})
    yield planner
    planner.close_session("s")


def run(planner: Planner, sql: str) -> list[dict[str, str]]:
    """Runs a statement that the planner answers."""
    answer = planner.run("s", sql, SHAPE)
    assert isinstance(answer, Answered)
    rows: list[dict[str, str]] = pa.ipc.open_stream(answer.arrow_stream).read_all().to_pylist()
    return rows


@pytest.mark.parametrize("name", sorted(PINNED_SETTINGS))
def test_set_of_a_pinned_setting_is_refused_and_changes_nothing(
    planner: Planner, name: str
) -> None:
    """No session can weaken what keeps answers right, in any spelling."""
    other = {"true": "false", "false": "true"}.get(PINNED_SETTINGS[name], "mysql")
    for spelled in (name, name.upper()):
        with pytest.raises(ProtectedSettingError, match="leaves the settings that keep answers"):
            run(planner, f"SET {spelled} = {other}")
    assert run(planner, f"SHOW {name}")[0]["value"] == PINNED_SETTINGS[name]


@pytest.mark.parametrize(
    "name", ["datafusion.runtime.memory_limit", "datafusion.catalog.default_schema"]
)
def test_set_of_the_process_is_refused(planner: Planner, name: str) -> None:
    """Memory, folders and catalogs belong to the process, not to a session."""
    with pytest.raises(ProtectedSettingError):
        run(planner, f"SET {name} = '1'")


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("SET springald.nothing = 1", UnknownSettingError),
        ("SET datafusion.execution.nothing = 1", UnknownSettingError),
        ("SET nothing = 1", UnknownSettingError),
        ("SHOW springald.nothing", UnknownSettingError),
        ("RESET datafusion.execution.nothing", UnknownSettingError),
        ("SET springald.distribution = 'sometimes'", InvalidSettingError),
        ("SET springald.single_task_bytes_max = -1", InvalidSettingError),
        ("SET datafusion.execution.batch_size = 'many'", InvalidSettingError),
        ("SET datafusion.execution.batch_size = 0", InvalidSettingError),
        (f"SET datafusion.execution.target_partitions = {PARTITIONS_MAX + 1}", InvalidSettingError),
        ("SET datafusion.execution.target_partitions = +9999999999", InvalidSettingError),
        ("SET datafusion.execution.target_partitions = 'two'", InvalidSettingError),
    ],
)
def test_statement_about_a_setting_that_is_wrong_is_refused(
    planner: Planner, statement: str, error: type[SpringaldError]
) -> None:
    """An unknown name and a value that does not fit are told apart, and nothing is kept of them."""
    with pytest.raises(error):
        run(planner, statement)
    assert planner.snapshot("s").engine_settings == {}


def test_set_then_reset_brings_a_setting_back(planner: Planner) -> None:
    """RESET undoes SET, of one or of all."""
    before = run(planner, "SHOW datafusion.execution.batch_size")
    run(planner, "SET DataFusion.Execution.Batch_Size = 77")
    run(planner, "SET springald.distribution = NEVER")
    assert run(planner, "SHOW datafusion.execution.batch_size")[0]["value"] == "77"
    assert run(planner, "SHOW springald.distribution")[0]["value"] == "never"
    run(planner, "RESET datafusion.execution.batch_size")
    assert run(planner, "SHOW datafusion.execution.batch_size") == before
    assert run(planner, "SHOW springald.distribution")[0]["value"] == "never"
    run(planner, "SET datafusion.execution.batch_size = 77")
    run(planner, "RESET ALL")
    assert run(planner, "SHOW datafusion.execution.batch_size") == before
    assert run(planner, "SHOW springald.distribution")[0]["value"] == "auto"
    run(planner, "RESET datafusion.execution.batch_size")


def test_show_all_lists_springald_with_the_engine(planner: Planner) -> None:
    """A person finds every setting in one place."""
    names = [row["name"] for row in run(planner, "SHOW ALL")]
    assert {"springald.distribution", "springald.single_task_bytes_max"} < set(names)
    assert "datafusion.execution.batch_size" in names


def test_open_session_with_a_wrong_setting_opens_nothing(tmp_path: Path) -> None:
    """Settings are checked before the session is there."""
    planner = Planner(["/"], tmp_path)
    with pytest.raises(UnknownSettingError):
        planner.open_session("t", {"springald.nothing": "1"})
    with pytest.raises(SpringaldError):
        planner.describe("t", "SELECT 1")


def test_target_partitions_of_zero_means_as_many_as_slots() -> None:
    """The engine takes 0 for its own choice; Springald's choice is the cluster's slots."""
    settings = SessionSettings()
    settings.set("datafusion.execution.target_partitions", "0")
    assert settings.target_partitions is None
    settings.set("datafusion.execution.target_partitions", "7")
    assert settings.target_partitions == 7


@pytest.mark.parametrize("name", ["TIMEZONE", "TimeZone", "TIME ZONE", "time.zone"])
def test_set_of_the_time_zone_by_another_name_lives_on_in_the_next_engine(
    planner: Planner, name: str
) -> None:
    """SQL's own names for the time zone are the setting's: sessions made anew know no others."""
    run(planner, f"SET {name} = 'Europe/Paris'")
    planner.restore_session("s", planner.snapshot("s"))
    assert run(planner, "SHOW datafusion.execution.time_zone")[0]["value"] == "Europe/Paris"
    run(planner, "RESET timezone")
    assert planner.snapshot("s").engine_settings == {}
    with pytest.raises(InvalidSettingError, match="a time zone is a name"):
        run(planner, "SET TIMEZONE = 'Nope'")


@pytest.mark.parametrize("verb", ["SHOW", "RESET"])
@pytest.mark.parametrize("name", ["nope", "springald.nope", "datafusion.nope.x"])
def test_statement_about_an_unknown_setting_says_where_all_are(
    planner: Planner, verb: str, name: str
) -> None:
    """An error says what to do."""
    with pytest.raises(UnknownSettingError, match=f"got '{name}'; SHOW ALL lists them"):
        run(planner, f"{verb} {name}")


def test_unsupported_types_are_replaced_in_what_a_query_promises(planner: Planner) -> None:
    """A client is told the types that it will get (P5.7), and RESET ALL does not take that away."""
    run(planner, "SET springald.unsupported_types = 'decimal32, Decimal64'")
    run(planner, "RESET ALL")
    query = "SELECT arrow_cast(1, 'Decimal32(5, 2)') AS a, arrow_cast(1, 'Decimal64(12, 2)') AS b"
    schema = pa.ipc.read_schema(pa.py_buffer(planner.describe("s", query)))
    assert schema == pa.schema({"a": pa.decimal128(5, 2), "b": pa.decimal128(12, 2)})
    run(planner, "RESET springald.unsupported_types")
    schema = pa.ipc.read_schema(pa.py_buffer(planner.describe("s", query)))
    assert schema == pa.schema({"a": pa.decimal32(5, 2), "b": pa.decimal64(12, 2)})


def test_unsupported_types_that_have_no_substitute_are_refused(planner: Planner) -> None:
    """A client that cannot read plain integers is not served by leaving it alone."""
    with pytest.raises(InvalidSettingError, match="decimal32"):
        run(planner, "SET springald.unsupported_types = 'int64'")
