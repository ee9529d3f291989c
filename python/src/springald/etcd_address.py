"""An etcd cluster as a person names it, and where schedulers leave word there of who leads.

Clients and executors read that one key and nothing else; a scheduler's store has all the others.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import grpc

from springald.errors import InvalidArgumentError
from springald.limits import ETCD_PROBE_ANSWER_MS_MAX, ETCD_PROBE_INTERVAL_MS

__all__ = [
    "ETCD_FORM",
    "EtcdAddress",
    "etcd_parts",
    "value_key",
]

ETCD_FORM: Final = (
    "//[USER:PASSWORD@]HOST:PORT[,HOST:PORT...][/PREFIX] (with ?tls=true&ca=FILE&"
    "certificate=FILE&key=FILE&password_file=FILE)"
)
"""What a person writes behind the colon of an address in etcd."""

PREFIX_DEFAULT: Final = "springald"

_FILES: Final = ("ca", "certificate", "key")
_OPTIONS: Final = frozenset({"tls", "password_file", *_FILES})
_CHANNEL_OPTIONS: Final = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", ETCD_PROBE_INTERVAL_MS),
    ("grpc.keepalive_timeout_ms", ETCD_PROBE_ANSWER_MS_MAX),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.enable_http_proxy", 0),
    # Those who speak to etcd in one process share nothing: one that comes later tries at once.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True, slots=True)
class EtcdAddress:
    """Where an etcd cluster is, and how it is spoken to.

    Attributes:
        members: `host:port` of each member that is to be asked.
        user: The user's name; empty for none.
        password: The user's password; never shown.
        tls: Whether connections are encrypted.
        ca: File of the authority that the members' certificates are checked against; the
            system's by default.
        certificate: File of the certificate that is shown to the members.
        key: File of that certificate's key.
    """

    members: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def channel(self, member: str) -> grpc.Channel:
        """Opens a channel to a member; it connects with the first call.

        Raises:
            InvalidArgumentError: A file of the encryption cannot be read.
        """
        if not self.tls:
            return grpc.insecure_channel(member, options=_CHANNEL_OPTIONS)
        credentials = grpc.ssl_channel_credentials(
            _read(self.ca), _read(self.key), _read(self.certificate)
        )
        return grpc.secure_channel(member, credentials, options=_CHANNEL_OPTIONS)


def etcd_parts(url: str) -> tuple[EtcdAddress, str] | None:
    """Reads an address in etcd; returns the cluster and the prefix, None if it is none.

    Example:
        >>> address, prefix = etcd_parts("etcd://me:secret@a:2379,b:2379/mine")
        >>> address.members, address.user, prefix
        (('a:2379', 'b:2379'), 'me', 'mine')
        >>> etcd_parts("etcd://a/mine") is None
        True

    Args:
        url: The address, with any scheme.

    Raises:
        InvalidArgumentError: The file of the password cannot be read.
    """
    parts = urlsplit(url)
    who, _, hosts = parts.netloc.rpartition("@")
    user, _, password = who.partition(":")
    options = dict(parse_qsl(parts.query))
    members = tuple(host for host in hosts.split(",") if host)
    if options.keys() - _OPTIONS or not members or not all(":" in each for each in members):
        return None
    password = unquote(password)
    if "password_file" in options:
        password = _password(Path(options["password_file"]))
    files = {name: Path(options[name]) for name in _FILES if name in options}
    tls = options.get("tls") == "true" or bool(files)
    address = EtcdAddress(members, user=unquote(user), password=password, tls=tls, **files)
    return address, parts.path.strip("/") or PREFIX_DEFAULT


def value_key(prefix: str, key: str) -> bytes:
    """Returns under which key of etcd a store with a prefix keeps a value.

    Example:
        >>> value_key("springald", "leader")
        b'springald/.values/leader'
    """
    return f"{prefix.strip('/')}/.values/{key}".encode()


def _password(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as failure:
        raise InvalidArgumentError(f"a file of a password can be read: got {failure}") from failure


def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as failure:
        raise InvalidArgumentError(
            f"files of an encrypted connection can be read: got {failure}"
        ) from failure
