"""Stores as a person names them: `memory`, `sqlite:PATH`, `etcd://host:port,…/prefix`."""

from pathlib import Path
from typing import Final, cast
from urllib.parse import parse_qsl

from springald.errors import InvalidArgumentError
from springald.etcd_address import ETCD_FORM, EtcdAddress, etcd_parts
from springald_scheduler.adapters.stores.etcd import EtcdStateStore
from springald_scheduler.adapters.stores.interface import StateStore
from springald_scheduler.adapters.stores.sqlite import SqliteStateStore, Synchronous

MEMORY: Final = "memory"
_SQLITE: Final = "sqlite:"
_ETCD: Final = "etcd://"
_SYNCHRONOUS: Final = ("normal", "full")
_FORMS: Final = f"memory, sqlite:PATH (with ?synchronous=full), or etcd:{ETCD_FORM}"


def open_store(name: str) -> StateStore:
    """Opens a store that outlives the process.

    Raises:
        InvalidArgumentError: The name says nothing that is known.
        SpringaldError: The store cannot be opened.
    """
    check_store_name(name)
    if name.startswith(_SQLITE):
        path, options = _sqlite_parts(name)
        synchronous = cast("Synchronous", options.get("synchronous", "normal"))
        return SqliteStateStore(Path(path), synchronous)
    address, prefix = _etcd_parts(name)
    return EtcdStateStore(address, prefix)


def is_shared(name: str) -> bool:
    """True for a store that several schedulers share."""
    return name.startswith(_ETCD)


def check_store_name(name: str) -> None:
    """Raises InvalidArgumentError for a name that says nothing that is known."""
    if name == MEMORY:
        return
    if name.startswith(_SQLITE):
        path, options = _sqlite_parts(name)
        if not path or options.get("synchronous", "normal") not in _SYNCHRONOUS:
            raise _refused(name)
        _check_options(name, options, {"synchronous"})
    elif name.startswith(_ETCD):
        _etcd_parts(name)
    else:
        raise _refused(name)


def _sqlite_parts(name: str) -> tuple[str, dict[str, str]]:
    path, _, query = name.removeprefix(_SQLITE).partition("?")
    return path, dict(parse_qsl(query))


def _etcd_parts(name: str) -> tuple[EtcdAddress, str]:
    parts = etcd_parts(name)
    if parts is None:
        raise _refused(name)
    return parts


def _check_options(name: str, options: dict[str, str], known: set[str]) -> None:
    if options.keys() - known:
        raise _refused(name)


def _refused(name: str) -> InvalidArgumentError:
    # What stands before the at sign may be a password.
    scheme, _, rest = name.partition("://")
    shown = f"{scheme}://{rest.rpartition('@')[2]}" if rest else name
    return InvalidArgumentError(f"state is kept in {_FORMS}: got {shown!r}")
