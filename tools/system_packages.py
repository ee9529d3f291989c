"""Installs what Python packages do not bring: a JDK and Maven, a C++ compiler with gRPC, etcd.

A tool that is there already is used, wherever it comes from. What is missing is installed with
`apt-get` by root, and named to everybody else.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

__all__ = ["GROUPS", "Need", "SystemPackagesError", "ensure"]

INSTALL_S_MAX: Final = 600
"""How long one run of `apt-get` may take, a download over a slow line included."""

LOCK_S_MAX: Final = 300
"""How long to wait while another `apt-get` runs."""

_STOP_S_MAX: Final = 10
_TAIL_LINES: Final = 15

AptGet = Callable[[Sequence[str]], None]


@dataclass(frozen=True, slots=True)
class Need:
    """A package, and the sign that what it brings is there.

    Attributes:
        package: Its name in Debian.
        sign: A command that is looked for on PATH, or the path of a file.
    """

    package: str
    sign: str

    @property
    def is_met(self) -> bool:
        """True if the sign is there."""
        if self.sign.startswith("/"):
            return Path(self.sign).exists()
        return shutil.which(self.sign) is not None


GROUPS: Final[Mapping[str, tuple[Need, ...]]] = MappingProxyType({
    "java": (
        Need("openjdk-17-jdk-headless", "javac"),
        Need("maven", "mvn"),
    ),
    "cpp": (
        Need("g++", "g++"),
        Need("cmake", "cmake"),
        Need("make", "make"),
        Need("libgrpc++-dev", "/usr/include/grpcpp/grpcpp.h"),
        Need("libprotobuf-dev", "/usr/include/google/protobuf/message.h"),
        Need("protobuf-compiler", "protoc"),
        Need("protobuf-compiler-grpc", "grpc_cpp_plugin"),
    ),
    "etcd": (Need("etcd-server", "etcd"),),
})  # fmt: skip
"""What a session needs, under the name that it asks by."""


class SystemPackagesError(Exception):
    """Something is missing and was not installed; the text says what to do."""


def ensure(groups: Iterable[str], *, is_root: bool, apt_get: AptGet | None) -> list[str]:
    """Installs those packages of some groups that are missing.

    Args:
        groups: Keys of `GROUPS`.
        is_root: Whether this user may install packages.
        apt_get: Runs `apt-get` with arguments; None if this system has none.

    Returns:
        The packages that were installed.

    Raises:
        SystemPackagesError: Something is missing that this user or system cannot install.
    """
    needs = [need for group in groups for need in GROUPS[group]]
    missing = [need for need in needs if not need.is_met]
    if not missing:
        return []
    if not is_root or apt_get is None:
        raise SystemPackagesError(_request(missing))
    packages = [need.package for need in missing]
    _install(packages, apt_get)
    if still := [need for need in missing if not need.is_met]:
        raise SystemPackagesError(_request(still))
    return packages


def _install(packages: list[str], apt_get: AptGet) -> None:
    """Installs by the lists of packages that are there; if they are missing or old, by new ones."""
    install = ["install", "--yes", "--no-install-recommends", *packages]
    try:
        apt_get(install)
    except SystemPackagesError:
        apt_get(["update"])
        apt_get(install)


def _request(missing: list[Need]) -> str:
    signs = ", ".join(need.sign for need in missing)
    packages = " ".join(need.package for need in missing)
    return (
        f"the build needs tools of the system: got no {signs}; "
        f"run as root: apt-get install --no-install-recommends {packages} "
        "(names are Debian's; elsewhere install what brings the same files)"
    )


def _apt_get(arguments: Sequence[str]) -> None:
    """Runs `apt-get` without a word, unless it fails."""
    command = ["apt-get", "--quiet", "-o", f"DPkg::Lock::Timeout={LOCK_S_MAX}", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(  # noqa: S603 - our own arguments
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=INSTALL_S_MAX)
        except subprocess.TimeoutExpired:
            said = _stop(process)
            raise SystemPackagesError(
                f"apt-get ends within {INSTALL_S_MAX} s: got no end of `{' '.join(command)}`; "
                f"look at the network and at its last lines:\n{_tail(said)}"
            ) from None
    if process.returncode != 0:
        raise SystemPackagesError(
            f"apt-get must succeed: got exit code {process.returncode} from "
            f"`{' '.join(command)}`; its last lines were:\n{_tail(said)}"
        )


def _stop(process: "subprocess.Popen[str]") -> str:
    """Asks apt-get and its children to end, so that the package database stays whole."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=_STOP_S_MAX)[0]
    return ""


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-_TAIL_LINES:]) or "(none)"


def main() -> None:
    """Sees to the groups that the command line names."""
    parser = argparse.ArgumentParser(description="install what Python packages do not bring")
    parser.add_argument("groups", nargs="+", choices=sorted(GROUPS), metavar="GROUP")
    groups = parser.parse_args().groups
    apt_get = _apt_get if shutil.which("apt-get") else None
    try:
        installed = ensure(groups, is_root=os.geteuid() == 0, apt_get=apt_get)
    except SystemPackagesError as error:
        sys.exit(str(error))
    if installed:
        print(f"installed {' '.join(installed)}")  # noqa: T201 - said to a person


if __name__ == "__main__":
    main()
