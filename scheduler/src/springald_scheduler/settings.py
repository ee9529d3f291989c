"""The scheduler's settings: from arguments, then from `SPRINGALD_SCHEDULER_*`, then defaults."""

import ipaddress
import os
from pathlib import Path
from typing import Literal, Self

from pydantic import ByteSize, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from springald.errors import InvalidArgumentError
from springald.limits import (
    EXECUTOR_SILENCE_MS_MAX,
    NO_EXECUTOR_MS_MAX,
    SESSION_LEASE_MS,
    UNWATCHED_JOB_MS_MAX,
)
from springald_scheduler.adapters.stores.opening import MEMORY, check_store_name
from springald_scheduler.limits import PLANNING_BYTES_MAX, PLANNING_MS_MAX

_SECONDS_MS = 1_000
_PORT_MAX = 65_535


class SchedulerSettings(BaseSettings):
    """Runs the scheduler of a Springald cluster, until it is told to stop.

    SIGTERM and Ctrl-C stop it. SIGUSR1 writes to standard error what its threads do. Exit codes: 0
    it was stopped, 1 it failed, 2 the arguments are wrong, 3 its address is in use.
    """

    model_config = SettingsConfigDict(
        env_prefix="SPRINGALD_SCHEDULER_",
        cli_prog_name="springald scheduler",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
        extra="forbid",
    )

    bind: str = Field(
        "127.0.0.1:50050",
        description="Address to listen at, host:port; port 0 takes a free one.",
    )
    allow_path: list[Path] = Field(
        default_factory=list,
        description="Folder that tables may be read from; may be given several times. "
        "By default every folder, if only this machine reaches the address.",
    )
    allow_write: list[Path] = Field(
        default_factory=list,
        description="Folder that COPY and INSERT may write to, inside of one that may be read; may "
        "be given several times. By default all that may be read, if only this machine reaches the "
        "address, and none otherwise.",
    )
    insecure: bool = Field(
        default=False, description="Allows an address that others can reach, without TLS."
    )
    executor_timeout: float = Field(
        EXECUTOR_SILENCE_MS_MAX / _SECONDS_MS,
        ge=0,
        description="Seconds that an executor may be silent before it is lost; 0 is without end.",
    )
    no_executor_timeout: float = Field(
        NO_EXECUTOR_MS_MAX / _SECONDS_MS,
        gt=0,
        description="Seconds that a job waits while there is no executor.",
    )
    session_timeout: float = Field(
        SESSION_LEASE_MS / _SECONDS_MS,
        gt=0,
        description="Seconds that a session lives without a call of its client.",
    )
    unwatched_job_timeout: float = Field(
        UNWATCHED_JOB_MS_MAX / _SECONDS_MS,
        gt=0,
        description="Seconds that a running job lives while no client follows it.",
    )
    planning_timeout: float = Field(
        PLANNING_MS_MAX / _SECONDS_MS,
        gt=0,
        description="Seconds that one statement may be planned.",
    )
    planning_memory: ByteSize = Field(
        ByteSize(PLANNING_BYTES_MAX),
        gt=0,
        description="Bytes that planning one statement may take, such as 2GiB.",
    )
    state: str = Field(
        "",
        description="Where state is kept: memory, sqlite:PATH or etcd://HOST:PORT,.../PREFIX. "
        "By default a sqlite file below $XDG_STATE_HOME/springald (~/.local/state/springald), "
        "named by --bind; with port 0 memory.",
    )
    advertise: str = Field(
        "",
        description="host:port at which clients and executors reach it, if that is not --bind.",
    )
    work_dir: Path | None = Field(
        None, description="Folder for its own files; by default one that it makes and removes."
    )
    ready_file: Path | None = Field(None, description="Written as JSON when it serves.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe log lines to write."
    )
    stop_on_stdin_eof: bool = Field(default=False, description="Stops when standard input ends.")

    @field_validator("bind")
    @classmethod
    def _check_bind(cls, bind: str) -> str:
        host, _, port = bind.rpartition(":")
        if not host or not (port.isascii() and port.isdigit()) or int(port) > _PORT_MAX:
            raise ValueError(f"an address is host:port, with a port up to {_PORT_MAX}: got {bind}")
        return bind

    @field_validator("state")
    @classmethod
    def _check_state(cls, state: str) -> str:
        try:
            if state:
                check_store_name(state)
        except InvalidArgumentError as error:
            raise ValueError(error.message) from None
        return state

    @property
    def state_name(self) -> str:
        """Where state is kept: as it was told, or by default."""
        if self.state:
            return self.state
        host, _, port = self.bind.rpartition(":")
        if int(port) == 0:
            # Nobody would find it again.
            return MEMORY
        home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        name = f"scheduler-{host.strip('[]').replace(':', '.')}-{port}.db"
        return f"sqlite:{Path(home) / 'springald' / name}"

    @property
    def allowed_paths(self) -> list[str]:
        """The folders that tables may be read from."""
        return [str(path.absolute()) for path in self.allow_path] or ["/"]

    @property
    def writable_paths(self) -> list[str]:
        """The folders that files may be written to."""
        if not self.allow_write and is_loopback(self.bind.rpartition(":")[0]):
            return self.allowed_paths
        return [str(path.absolute()) for path in self.allow_write]

    @property
    def executor_silence_ms_max(self) -> int | None:
        """How long an executor may be silent; None is without end."""
        return round(self.executor_timeout * _SECONDS_MS) or None

    @property
    def no_executor_ms_max(self) -> int:
        """How long a job waits while there is no executor."""
        return round(self.no_executor_timeout * _SECONDS_MS)

    @property
    def planning_ms_max(self) -> int:
        """How long one statement may be planned."""
        return round(self.planning_timeout * _SECONDS_MS)

    @property
    def session_lease_ms(self) -> int:
        """How long a session lives without a call."""
        return round(self.session_timeout * _SECONDS_MS)

    @property
    def unwatched_job_ms_max(self) -> int:
        """How long a running job lives while nobody watches it."""
        return round(self.unwatched_job_timeout * _SECONDS_MS)

    @model_validator(mode="after")
    def _check_reach(self) -> Self:
        host = self.bind.rpartition(":")[0]
        problems = []
        if not is_loopback(host):
            if not self.insecure:
                problems.append(
                    f"requests travel unencrypted, so --bind must be a loopback address: got "
                    f"{host}; add --insecure if the network is trusted"
                )
            if not self.allow_path:
                problems.append(
                    f"others can reach {host}, so the folders that they may read must be named: "
                    "got none; add --allow-path"
                )
        readable = [Path(path) for path in self.allowed_paths]
        problems += (
            "what is written is read back, so --allow-write lies inside of --allow-path: got "
            f"{path}; allow both"
            for path in map(Path, self.writable_paths)
            if not any(path.is_relative_to(folder) for folder in readable)
        )
        if problems:
            raise ValueError("; ".join(problems))
        return self


def is_loopback(host: str) -> bool:
    """True for a host that only this machine reaches.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("[::1]"), is_loopback("0.0.0.0")
        (True, True, False)
    """
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
