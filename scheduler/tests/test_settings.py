"""Settings are checked before anything starts, and a program says what is wrong with them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from springald.errors import IoFailedError
from springald.server_process import write_ready
from springald_scheduler.__main__ import core_limits, local_facts, main
from springald_scheduler.settings import SchedulerSettings, is_loopback


def test_settings_by_default_listen_on_loopback() -> None:
    """Anyone who can submit can read files: by default that is this machine only."""
    settings = SchedulerSettings()
    assert settings.bind == "127.0.0.1:50050"
    assert settings.allowed_paths == ["/"]
    limits = core_limits(settings)
    assert (limits.executor_silence_ms_max, limits.no_executor_ms_max) == (10_000, 60_000)


def test_settings_that_open_the_machine_are_refused_with_all_reasons() -> None:
    """An address that others reach needs two words of its operator, and is told both."""
    with pytest.raises(ValidationError) as caught:
        SchedulerSettings(bind="0.0.0.0:50050")
    assert "--insecure" in str(caught.value)
    assert "--allow-path" in str(caught.value)
    with pytest.raises(ValidationError, match="--allow-path"):
        SchedulerSettings(bind="0.0.0.0:50050", insecure=True)
    opened = SchedulerSettings(bind="0.0.0.0:1", insecure=True, allow_path=[Path("data")])
    assert opened.allowed_paths == [str(Path.cwd() / "data")]
    assert opened.writable_paths == []


def test_settings_let_others_write_only_where_it_is_named() -> None:
    """This machine writes where it reads; others write nowhere, or inside of what they read."""
    assert SchedulerSettings().writable_paths == ["/"]
    assert SchedulerSettings(allow_path=[Path("/a")]).writable_paths == ["/a"]
    named = SchedulerSettings(allow_path=[Path("/a")], allow_write=[Path("/a/b")])
    assert named.writable_paths == ["/a/b"]
    with pytest.raises(ValidationError, match="inside of --allow-path"):
        SchedulerSettings(allow_path=[Path("/a")], allow_write=[Path("/b")])


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting has a variable; zero silence is without end."""
    monkeypatch.setenv("SPRINGALD_SCHEDULER_BIND", "127.0.0.1:7")
    monkeypatch.setenv("SPRINGALD_SCHEDULER_EXECUTOR_TIMEOUT", "0")
    monkeypatch.setenv("SPRINGALD_SCHEDULER_ALLOW_PATH", '["/a", "/b"]')
    settings = SchedulerSettings()
    assert (settings.bind, settings.executor_silence_ms_max) == ("127.0.0.1:7", None)
    assert settings.allowed_paths == ["/a", "/b"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("[::1]", True), ("localhost", True), ("h", False)],
)
def test_loopback_is_known(host: str, expected: bool) -> None:  # noqa: FBT001
    """Only loopback addresses and their usual name are this machine's own."""
    assert is_loopback(host) is expected


def test_ready_file_appears_whole(tmp_path: Path) -> None:
    """Who waits for the file never reads half of it."""
    write_ready(tmp_path / "ready.json", {"address": "127.0.0.1:5", "pid": os.getpid()})
    assert json.loads((tmp_path / "ready.json").read_text())["address"] == "127.0.0.1:5"
    assert [each.name for each in tmp_path.iterdir()] == ["ready.json"]


def test_program_with_wrong_settings_ends_with_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2: the arguments are wrong."""
    assert main(["--bind", "0.0.0.0:1"]) == 2
    assert "--insecure" in capsys.readouterr().err
    assert main(["--bind", "nowhere"]) == 2
    assert "--bind" in capsys.readouterr().err


def test_facts_are_those_of_this_process() -> None:
    """An executor in an equal environment fits."""
    facts = local_facts()
    assert facts.engine_version.startswith("datafusion 55.")
    assert facts == local_facts()
    assert facts.routing_fingerprint


@pytest.mark.parametrize("bind", ["nowhere", "h:", ":1", "127.0.0.1:65536", "127.0.0.1:-1", "h:x"])
def test_settings_with_an_address_that_is_none_are_refused(bind: str) -> None:
    """A port beyond the last one would be another port."""
    with pytest.raises(ValidationError, match="an address is host:port, with a port up to 65535"):
        SchedulerSettings(bind=bind)


@pytest.mark.parametrize("bind", ["192.0.2.1:0", "nowhere.invalid:0"])
def test_serve_at_an_address_of_another_machine_says_so_in_a_line(bind: str) -> None:
    """An address that cannot be served is told with the reason, and not by the library too."""
    arguments = ["--bind", bind, "--insecure", "--allow-path", "/", "--log-level", "error"]
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "springald_scheduler", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 3
    (line,) = ran.stderr.splitlines()
    assert f"{bind} is not (" in line


def test_write_ready_where_it_cannot_be_is_typed(tmp_path: Path) -> None:
    """Whoever waits for the file reads in the log why it does not come."""
    with pytest.raises(IoFailedError, match="--ready-file"):
        write_ready(tmp_path / "none" / "ready.json", {})
