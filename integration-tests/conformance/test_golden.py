"""What clients of past releases sent is answered as it was: on a cluster, and in local mode."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import springald
from conformance.golden_files import (
    GOLDEN,
    all_releases,
    digest_of,
    path_of,
    read_release,
    unpack,
    write_release,
)
from conformance.golden_player import ClusterPlace, LocalPlace, Place, play
from springald.conformance.v1.golden_pb2 import GoldenFile, GoldenVector

PYPROJECT = Path(__file__).parents[2] / "python" / "pyproject.toml"
KNOWN: dict[tuple[str, str], str] = {}
"""Vectors of a release that come out otherwise today, with the reason; they must go on doing so."""


def kept() -> Iterator[tuple[str, GoldenVector]]:
    """Tells all vectors of all releases."""
    for release in all_releases():
        for vector in read_release(release).vectors:
            yield release, vector


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, Path]]:
    """The data of each release, and the text that stands for its folder."""
    return {
        release: (
            read_release(release).folder,
            unpack(read_release(release), tmp_path_factory.mktemp("data")),
        )
        for release in all_releases()
    }


@pytest.fixture(scope="module", params=["2x1", "local"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A standalone cluster with an old client on the wire, and local mode."""
    if request.param == "local":
        local = LocalPlace()
        yield local
        local.close()
        return
    with springald.LocalCluster(2, 1) as cluster:
        remote = ClusterPlace(cluster.url.removeprefix("springald://"))
        yield remote
        remote.close()


@pytest.mark.parametrize(
    ("release", "vector"),
    [pytest.param(release, vector, id=f"{release}-{vector.name}") for release, vector in kept()],
)
def test_requests_of_a_release_are_answered_as_they_were(
    place: Place, folders: dict[str, tuple[str, Path]], release: str, vector: GoldenVector
) -> None:
    """P1.5: the bytes that a client of a past release sent have the outcome that they had then."""
    if (release, vector.name) not in KNOWN:
        play(place, vector, folders[release])
        return
    with pytest.raises(AssertionError):
        play(place, vector, folders[release])


def test_files_of_releases_are_what_was_released() -> None:
    """P1.5: what a release sent is never written again; each file has the digest of its release."""
    assert {path.name for path in GOLDEN.glob("*.zst")} == {path_of(r).name for r in all_releases()}
    assert all_releases()
    for release in all_releases().values():
        assert digest_of(release.name) == release.sha256, release.name
        content = read_release(release.name)
        assert (content.release, len(content.vectors)) == (release.name, release.vectors)


def test_release_is_not_written_again() -> None:
    """A release that has its file keeps it, whoever asks for another one."""
    released = next(iter(all_releases().values()))
    before = path_of(released.name).read_bytes()
    with pytest.raises(FileExistsError):
        write_release(GoldenFile(release=released.name))
    assert path_of(released.name).read_bytes() == before


def test_releases_are_not_later_than_the_version_here() -> None:
    """What is kept was sent by releases up to this one."""
    version = tomllib.loads(PYPROJECT.read_text())["project"]["version"]
    here = tuple(map(int, version.split(".")[:3]))
    assert all(tuple(map(int, release.split("."))) <= here for release in all_releases())


def test_known_differences_name_vectors_and_reasons() -> None:
    """A difference is known by a release, a vector of it, and a reason."""
    assert set(KNOWN) <= {(release, vector.name) for release, vector in kept()}
    assert all(KNOWN.values())
