"""The executor's settings: from arguments, then from `SPRINGALD_EXECUTOR_*`, then defaults."""

import ipaddress
import re
import secrets
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, CliApp, SettingsConfigDict

from springald.errors import InvalidArgumentError
from springald.urls import finder_of
from springald_executor.adapters.machine import processors
from springald_executor.core.limits import DRAIN_S_DEFAULT

_UNITS: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_BYTES: Final = re.compile(r"(\d+)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_ADDRESS: Final = re.compile(r".+:\d{1,5}")
_AUTO: Final = "auto"
_ID: Final = r"[A-Za-z0-9_.-]{1,64}"


def _bytes(value: object) -> int | None:
    """Reads `4GiB` and `500MB` as a number of bytes; units are powers of 1024."""
    if value is None or value == _AUTO:
        return None
    match = _BYTES.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"bytes are a number with a unit, such as 4GiB, or auto: got {value!r}")
    return int(match.group(1)) * _UNITS[match.group(2).lower()]


def _address(value: str) -> str:
    try:
        if finder_of(value):
            return value
    except InvalidArgumentError as error:
        raise ValueError(error.message) from None
    address = value.removeprefix("springald://").rstrip("/")
    if not all(map(_ADDRESS.fullmatch, address.split(","))):
        raise ValueError(f"an address is host:port: got {value!r}")
    return address


def _own_id() -> str:
    host = re.sub(r"[^A-Za-z0-9_.-]", "-", socket.gethostname())[:40]
    return f"{host}-{secrets.token_hex(3)}"


Bytes = Annotated[int | None, BeforeValidator(_bytes)]
Address = Annotated[str, AfterValidator(_address)]


class ExecutorSettings(BaseSettings):
    """Runs an executor of a Springald cluster, until it is told to stop.

    SIGTERM and Ctrl-C let it finish its tasks and leave; the second of them stops it at once.
    SIGUSR1 writes to standard error what its threads do.
    Exit codes: 0 it left, 1 it failed, 2 the arguments are wrong, 3 its port is in use, 4 the
    scheduler refused it.
    """

    model_config = SettingsConfigDict(
        env_prefix="SPRINGALD_EXECUTOR_",
        cli_prog_name="springald executor",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
        extra="forbid",
    )

    scheduler: Address = Field(
        description="Address of the scheduler, host:port; of several with commas; or where they "
        "keep their state, springald+etcd://HOST:PORT,.../PREFIX."
    )
    bind: str = Field("127.0.0.1", description="Address that the Flight server listens at.")
    flight_port: int = Field(
        0, ge=0, le=65535, description="Port of the Flight server; 0 takes a free one."
    )
    advertise: str = Field(
        "", description="Host name under which others reach it; by default the bind address."
    )
    slots: int = Field(processors(), ge=1, le=1024, description="How many slots it offers.")
    memory: Bytes = Field(
        None,
        description="Bytes that it deals out to tasks, such as 4GiB; auto takes half of all, or "
        "its share of that.",
    )
    sharers: int = Field(
        1, ge=1, description="How many executors share this machine, if their memory is auto."
    )
    shuffle_memory: Bytes = Field(
        None,
        description="Bytes of files that it keeps in memory, the rest goes to disk; auto takes a "
        "quarter of what the tasks get.",
    )
    work_dir: Path = Field(
        Path(tempfile.gettempdir()),
        description="Where it makes a folder of its own for files and spill.",
    )
    read_in_place: bool = Field(
        default=True,
        description="Lets executors and clients on this host read files where they lie; off has "
        "everything fetched over Flight.",
    )
    drain_timeout: float = Field(
        DRAIN_S_DEFAULT,
        ge=0,
        description="Seconds that it goes on after SIGTERM: for its tasks, and for readers of what "
        "they made; what is left then is made again elsewhere.",
    )
    executor_id: str = Field(
        _own_id(), pattern=f"^{_ID}$", description="Its id, unique in the cluster."
    )
    ready_file: Path | None = Field(
        None, description="Written as JSON when the scheduler has accepted it."
    )
    insecure: bool = Field(
        default=False,
        validate_default=True,
        description="Allows a bind address that others can reach, without TLS.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe log lines to write."
    )
    stop_on_stdin_eof: bool = Field(
        default=False, description="Stops at once when standard input ends."
    )

    @field_validator("insecure")
    @classmethod
    def _check_bind(cls, insecure: bool, given: ValidationInfo) -> bool:  # noqa: FBT001
        bind = given.data.get("bind", "127.0.0.1")
        if not insecure and not is_loopback(bind):
            message = f"rows travel unencrypted, so --bind is a loopback address: got {bind}"
            raise ValueError(f"{message}; add --insecure if the network is trusted")
        return insecure


def is_loopback(host: str) -> bool:
    """True for an address that only this machine reaches.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
        (True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_settings(arguments: Sequence[str]) -> ExecutorSettings:
    """Reads the settings from arguments and the environment.

    Raises:
        ValidationError: One or more are wrong; it lists all of them.
        SystemExit: An argument is not known, or help was asked for.
    """
    return CliApp.run(ExecutorSettings, cli_args=list(arguments))
