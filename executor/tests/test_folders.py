"""Folders of one life of an executor: nobody else's, and removed in any case."""

import os
from pathlib import Path

import pytest
from fake_scheduler import wait_until

from springald.errors import IoFailedError
from springald.own_folder import remove_stale
from springald_executor.adapters.folders import Folders


def test_folders_are_made_and_removed(tmp_path: Path) -> None:
    """Both roots are private, and go with all that was written there."""
    folders = Folders(tmp_path / "disk", tmp_path)
    roots = folders.roots
    assert roots.memory is not None
    (roots.disk / "jobs").mkdir()
    modes = [root.stat().st_mode & 0o777 for root in (roots.disk, roots.memory)]
    folders.remove()

    assert modes == [0o700, 0o700]
    assert not list((tmp_path / "disk").iterdir())
    assert not roots.memory.exists()


def test_folders_without_memory_lie_on_disk(tmp_path: Path) -> None:
    """A machine without a memory-backed folder has one root."""
    folders = Folders(tmp_path, tmp_path / "absent", janitor=False)

    assert folders.roots.memory is None
    folders.remove()


def test_stale_folders_are_removed_and_living_ones_kept(tmp_path: Path) -> None:
    """What a dead executor left is removed by the next one that starts there."""
    living = Folders(tmp_path, None, janitor=False)
    dead = tmp_path / "springald-executor-dead"
    dead.mkdir()
    (dead / "lock").touch()
    (dead / "jobs").mkdir()
    other = tmp_path / "something-else"
    other.mkdir()
    remove_stale(tmp_path, "springald-executor-")

    assert not dead.exists()
    assert other.exists()
    assert living.roots.disk.exists()
    living.remove()


def test_janitor_removes_folders_when_everybody_is_gone(tmp_path: Path) -> None:
    """The folders go when the last process that could write there has ended."""
    folders = Folders(tmp_path, None)
    roots = folders.roots
    engine = os.dup(folders.lifeline_fd)  # what an engine process inherits
    os.close(folders.lifeline_fd)
    assert roots.disk.exists()
    os.close(engine)

    wait_until(lambda: not roots.disk.exists())
    assert folders._janitor is not None  # noqa: SLF001 - to see it end
    folders._janitor.wait(10)  # noqa: SLF001 - as above
    for folder in folders._own:  # noqa: SLF001 - as above
        folder.remove()


def test_work_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """An executor without a place to write does not start."""
    (tmp_path / "file").touch()

    with pytest.raises(IoFailedError, match="--work-dir"):
        Folders(tmp_path / "file", None)
