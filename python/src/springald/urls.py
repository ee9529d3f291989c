"""Addresses of clusters as a person writes them: `springald://host:port`, or where to ask."""

from urllib.parse import urlsplit

from springald.client_limits import PORT_DEFAULT
from springald.errors import InvalidArgumentError
from springald.etcd_address import ETCD_FORM, etcd_parts
from springald.leader_finder import LeaderFinder

__all__ = ["address_of", "addresses_of", "finder_of"]

_SCHEME = "springald"
_SCHEME_IN_ETCD = "springald+etcd"


def finder_of(url: str) -> LeaderFinder | None:
    """Returns what finds a cluster's leader in etcd, None for a URL that names schedulers.

    Example:
        >>> finder_of("springald+etcd://me:secret@a:2379,b:2379/mine").name
        'springald+etcd://a:2379,b:2379/mine'
        >>> finder_of("springald://a:1") is None
        True

    Raises:
        InvalidArgumentError: It names an etcd in another way, or a file that cannot be read.
    """
    if not str(url).startswith(f"{_SCHEME_IN_ETCD}:"):
        return None
    parts = etcd_parts(url)
    if parts is None:
        # What stands before the at sign may be a password.
        shown = url.removeprefix(f"{_SCHEME_IN_ETCD}://").rpartition("@")[2]
        raise InvalidArgumentError(
            f"a cluster in etcd is named {_SCHEME_IN_ETCD}:{ETCD_FORM}: got "
            f"{f'{_SCHEME_IN_ETCD}://{shown}'!r}"
        )
    return LeaderFinder(*parts)


def addresses_of(url: str) -> list[str]:
    """Returns each `host:port` that a URL names, of one scheduler or of several.

    Example:
        >>> addresses_of("springald://a:1,b")
        ['a:1', 'b:50050']

    Raises:
        InvalidArgumentError: The URL names something else than schedulers' hosts and ports.
    """
    if "," not in str(url):
        return [address_of(url)]
    first, *others = url.rstrip("/").split(",")
    return [address_of(first), *(address_of(f"{_SCHEME}://{each}") for each in others)]


def address_of(url: str) -> str:
    """Returns the `host:port` that a URL names.

    Example:
        >>> address_of("springald://10.0.0.5:50050"), address_of("springald://[::1]")
        ('10.0.0.5:50050', '[::1]:50050')

    Raises:
        InvalidArgumentError: The URL names something else than a scheduler's host and port.
    """
    if not isinstance(url, str):
        raise InvalidArgumentError(f"a cluster's url is a text: got {url!r}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _refused(url, str(error)) from None
    if parts.scheme != _SCHEME:
        raise _refused(url, f"the scheme {parts.scheme!r}")
    if not host:
        raise _refused(url, "no host")
    if "@" in parts.netloc:
        # The text after this may be a password, which must not be repeated.
        raise InvalidArgumentError("a cluster's url has no user or password: leave it out")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _refused(url, "more than a host and a port")
    if port == 0:
        raise _refused(url, "the port 0")
    bracketed = f"[{host}]" if ":" in host else host
    return f"{bracketed}:{port or PORT_DEFAULT}"


def _refused(url: str, found: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"a cluster's url is {_SCHEME}://host:port: got {found} in {url!r}; "
        f"write for example {_SCHEME}://127.0.0.1:{PORT_DEFAULT}, or where its schedulers keep "
        f"their state: {_SCHEME_IN_ETCD}://127.0.0.1:2379/springald"
    )
