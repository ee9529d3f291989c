"""What the set-up step does on machines that have everything, nothing, or an old list."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tools import system_packages
from tools.system_packages import Need, SystemPackagesError, ensure


class FakeAptGet:
    """Installs a package by making its sign, if its lists are good for it."""

    def __init__(self, signs: dict[str, Path], *, lists: bool = True) -> None:
        self._signs = signs
        self._lists = lists
        self.calls: list[str] = []

    def __call__(self, arguments: Sequence[str]) -> None:
        """Does what `apt-get` would do with the arguments."""
        self.calls.append(arguments[0])
        if arguments[0] == "update":
            self._lists = True
            return
        if not self._lists:
            raise SystemPackagesError("apt-get must succeed: got exit code 100")
        for package in arguments[1:]:
            if package in self._signs:
                self._signs[package].touch()


@pytest.fixture
def signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A group `g` of two packages, whose signs are files that are not there."""
    signs = {"one": tmp_path / "1", "two": tmp_path / "2"}
    needs = tuple(Need(package, str(sign)) for package, sign in signs.items())
    monkeypatch.setattr(system_packages, "GROUPS", {"g": needs})
    return signs


def test_ensure_everything_there_does_nothing(signs: dict[str, Path]) -> None:
    """A tool that is there is used, and nobody has to be root for it."""
    for sign in signs.values():
        sign.touch()
    assert ensure(["g"], is_root=False, apt_get=None) == []


def test_ensure_one_missing_installs_only_that_without_update(signs: dict[str, Path]) -> None:
    """Lists of packages are not fetched where those that are there will do."""
    signs["one"].touch()
    apt_get = FakeAptGet(signs)
    assert ensure(["g"], is_root=True, apt_get=apt_get) == ["two"]
    assert apt_get.calls == ["install"]


def test_ensure_without_lists_updates_and_installs(signs: dict[str, Path]) -> None:
    """Lists that are missing or old cost one update."""
    apt_get = FakeAptGet(signs, lists=False)
    assert ensure(["g"], is_root=True, apt_get=apt_get) == ["one", "two"]
    assert apt_get.calls == ["install", "update", "install"]


@pytest.mark.parametrize("is_root", [False, True])
def test_ensure_cannot_install_names_every_package(signs: dict[str, Path], is_root: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Who cannot install is told the whole command, with what is missing and nothing else."""
    apt_get = None if is_root else FakeAptGet(signs)
    with pytest.raises(SystemPackagesError, match=r"apt-get install .* one two "):
        ensure(["g"], is_root=is_root, apt_get=apt_get)
    assert apt_get is None or not apt_get.calls


def test_ensure_package_without_its_sign_is_told(signs: dict[str, Path]) -> None:
    """A package that does not bring what it is installed for does not count as success."""
    del signs["two"]
    with pytest.raises(SystemPackagesError, match=r"got no \S+/2;"):
        ensure(["g"], is_root=True, apt_get=FakeAptGet(signs))
