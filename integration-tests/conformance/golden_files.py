"""What clients of past releases sent: one file a release, written once, and a list of digests."""

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pyarrow as pa

from springald.conformance.v1.golden_pb2 import GoldenFile

GOLDEN: Final = Path(__file__).parent / "golden"
RELEASES: Final = GOLDEN / "releases.toml"
FOLDER_BYTES: Final = 160
"""How long the path of the data is in every request."""
_PLACE: Final = "golden-"


@dataclass(frozen=True)
class Release:
    """A release whose requests are kept.

    Attributes:
        name: Its version.
        sha256: The digest of its file.
        vectors: How many vectors it has.
    """

    name: str
    sha256: str
    vectors: int


@cache
def all_releases() -> dict[str, Release]:
    """Reads the list of releases."""
    content = tomllib.loads(RELEASES.read_text()) if RELEASES.exists() else {}
    return {name: Release(name, **entry) for name, entry in content.items()}


def path_of(release: str) -> Path:
    """Tells where the file of a release is."""
    return GOLDEN / f"{release}.binpb.zst"


def digest_of(release: str) -> str:
    """Tells the digest that the file of a release has now."""
    return hashlib.sha256(path_of(release).read_bytes()).hexdigest()


@cache
def read_release(release: str) -> GoldenFile:
    """Reads what is kept of a release."""
    with pa.CompressedInputStream(str(path_of(release)), "zstd") as stream:
        return GoldenFile.FromString(stream.read())


def write_release(content: GoldenFile) -> Release:
    """Writes what is kept of a release, and puts it on the list.

    Raises:
        FileExistsError: The release has its file already.
    """
    if content.release in all_releases() or path_of(content.release).exists():
        raise FileExistsError(
            f"what a release sent is written once: got {content.release} again; "
            "raise the version in python/pyproject.toml first"
        )
    with pa.CompressedOutputStream(str(path_of(content.release)), "zstd") as stream:
        stream.write(content.SerializeToString(deterministic=True))
    all_releases.cache_clear()
    release = Release(content.release, digest_of(content.release), len(content.vectors))
    with RELEASES.open("a") as listed:
        listed.write(
            f'\n["{release.name}"]\nsha256 = "{release.sha256}"\nvectors = {release.vectors}\n'
        )
    return release


def long_folder(parent: Path) -> Path:
    """Makes a folder whose path has as many bytes as every golden request has room for."""
    room = FOLDER_BYTES - len(str(parent.resolve()).encode()) - 1
    if room < len(_PLACE):
        raise ValueError(
            f"a folder for golden data has at most {FOLDER_BYTES} bytes: got {parent}; "
            "use a shorter one for temporary files"
        )
    folder = parent.resolve() / _PLACE.ljust(room, "x")
    folder.mkdir()
    return folder


def unpack(content: GoldenFile, parent: Path) -> Path:
    """Writes the files that the vectors of a release read; returns their folder."""
    folder = long_folder(parent)
    for file in content.files:
        path = folder / file.path
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(file.content)
    return folder
