"""Folders of one process: nobody else's, and removed by the next one if it was killed."""

from pathlib import Path

from springald.own_folder import OwnFolder, new_name, remove_stale


def test_folder_is_private_and_goes_with_what_is_in_it(tmp_path: Path) -> None:
    """Only its user looks into it, and removing it twice is no failure."""
    folder = OwnFolder(tmp_path, new_name("kind-"))
    assert folder.path.stat().st_mode & 0o777 == 0o700
    (folder.path / "below").mkdir()
    folder.remove()
    folder.remove()
    assert not list(tmp_path.iterdir())


def test_new_folder_removes_those_of_the_dead_of_its_kind(tmp_path: Path) -> None:
    """A lock that nobody holds tells a dead owner; other kinds and folders without one stay."""
    living = OwnFolder(tmp_path, new_name("kind-"))
    dead, other, foreign = (tmp_path / name for name in ("kind-dead", "kin-dead", "kind-foreign"))
    for folder in (dead, other, foreign):
        (folder / "planner").mkdir(parents=True)
    for folder in (dead, other):
        (folder / "lock").touch()
    new = OwnFolder(tmp_path, new_name("kind-"))
    assert sorted(tmp_path.iterdir()) == sorted([living.path, other, foreign, new.path])
    living.remove()
    remove_stale(tmp_path, "kin-")
    assert sorted(tmp_path.iterdir()) == sorted([foreign, new.path])
    new.remove()
