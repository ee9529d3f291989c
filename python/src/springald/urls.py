"""Addresses of clusters as a person writes them: `springald://host:port`."""

from urllib.parse import urlsplit

from springald.client_limits import PORT_DEFAULT
from springald.errors import InvalidArgumentError

__all__ = ["address_of", "addresses_of"]

_SCHEME = "springald"


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
    bracketed = f"[{host}]" if ":" in host else host
    return f"{bracketed}:{port or PORT_DEFAULT}"


def _refused(url: str, found: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"a cluster's url is {_SCHEME}://host:port: got {found} in {url!r}; "
        f"write for example {_SCHEME}://127.0.0.1:{PORT_DEFAULT}"
    )
