"""A cluster's address is a URL with a host and a port, and nothing else."""

import pytest

from springald.errors import InvalidArgumentError
from springald.urls import address_of


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("springald://localhost:1234", "localhost:1234"),
        ("springald://10.0.0.5", "10.0.0.5:50050"),
        ("springald://[::1]:9/", "[::1]:9"),
    ],
)
def test_address_of_host_and_port_is_address(url: str, address: str) -> None:
    """The host, and the port or the usual one."""
    assert address_of(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "localhost:1234",
        "http://localhost:1234",
        "springald://",
        "springald://host:99999",
        "springald://host:port",
        "springald://host/database",
        "springald://host?x=1",
        "springald://me:secret@host",
    ],
)
def test_address_of_something_else_is_refused(url: str) -> None:
    """Anything else is refused, with how it should look, and without repeating a password."""
    with pytest.raises(InvalidArgumentError) as caught:
        address_of(url)
    assert "secret" not in str(caught.value)
