"""The executor's arguments, and what it takes of a machine when nobody says."""

import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from springald_executor.adapters import machine
from springald_executor.settings import read_settings

REQUIRED = ["--scheduler", "localhost:50050"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1048576", 2**20),
        ("4GiB", 2**32),
        ("500MB", 500 * 2**20),
        ("2 g", 2**31),
        ("0", 0),
        ("auto", None),
    ],
)
def test_bytes_are_read_with_their_unit(text: str, wanted: int | None) -> None:
    """People write sizes with units, and `auto` lets the executor decide."""
    assert read_settings([*REQUIRED, "--memory", text]).memory == wanted


def test_scheduler_is_taken_with_and_without_its_scheme() -> None:
    """The address that a client uses works here, too."""
    given = read_settings(["--scheduler", "springald://localhost:50050"])

    assert given.scheduler == "localhost:50050"


def test_scheduler_may_be_found_in_etcd() -> None:
    """Where the schedulers keep their state stays as it was written."""
    url = "springald+etcd://a:2379,b:2379/mine"
    assert read_settings(["--scheduler", url]).scheduler == url
    with pytest.raises(ValidationError):
        read_settings(["--scheduler", "springald+etcd://a/mine"])


def test_environment_gives_what_arguments_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments win over the environment."""
    monkeypatch.setenv("SPRINGALD_EXECUTOR_SLOTS", "7")
    monkeypatch.setenv("SPRINGALD_EXECUTOR_MEMORY", "1GiB")

    given = read_settings([*REQUIRED, "--slots", "3"])

    assert (given.slots, given.memory) == (3, 2**30)


def test_all_problems_are_told_at_once() -> None:
    """Nobody mends a command line one mistake at a time."""
    wrong = ["--scheduler", "nowhere", "--slots", "0", "--bind", "0.0.0.0"]  # noqa: S104
    with pytest.raises(ValidationError) as raised:
        read_settings(wrong)

    assert [problem["loc"][0] for problem in raised.value.errors()] == [
        "scheduler",
        "slots",
        "insecure",
    ]


@pytest.mark.parametrize("bind", ["127.0.0.1", "::1", "localhost"])
def test_loopback_needs_no_leave(bind: str) -> None:
    """Nobody else hears what is said on the loopback."""
    assert read_settings([*REQUIRED, "--bind", bind]).bind == bind


def test_other_addresses_need_leave() -> None:
    """Who opens an executor to a network says that he knows."""
    given = read_settings([*REQUIRED, "--bind", "0.0.0.0", "--insecure"])  # noqa: S104

    assert given.insecure


def test_unknown_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped option does not pass in silence."""
    with pytest.raises(SystemExit) as ended:
        read_settings([*REQUIRED, "--slot", "1"])

    assert ended.value.code == 2
    assert "--slot" in capsys.readouterr().err


def test_memory_is_bounded_by_the_container(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's limit counts, not the machine's memory."""
    monkeypatch.setattr(machine, "_limit", lambda path: 2**30 if "memory.max" in path else 0)

    assert machine.memory_total() == 2**30
    assert machine.task_memory_auto() == 2**29
    assert machine.task_memory_auto(4) == 2**27


def test_files_in_memory_fit_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small memory-backed folder, as in a container, is filled to the half at most."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=64 * 2**20))

    assert machine.shuffle_memory_auto(2**32, tmp_path) == 32 * 2**20
    assert machine.shuffle_memory_auto(2**32, tmp_path, 4) == 8 * 2**20
    assert machine.shuffle_memory_auto(2**20, tmp_path) == 2**18
    assert machine.shuffle_memory_auto(2**32, None) == 0


def test_machine_has_memory_and_processors() -> None:
    """The figures of this machine are figures."""
    assert machine.memory_total() > 2**20
    assert machine.processors() >= 1
