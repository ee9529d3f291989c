"""A cluster's address is a URL with a host and a port, and nothing else."""

import pytest

from springald.errors import InvalidArgumentError
from springald.urls import address_of, finder_of


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
        "springald://host:0",
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


@pytest.mark.parametrize(
    "url",
    [
        "springald+etcd://me:secret@host/prefix",
        "springald+etcd://me:secret@",
        "springald+etcd:me:secret@host:1",
        "springald+etcd://me:secret@host:1/prefix?secrets=true",
    ],
)
def test_finder_of_something_else_is_refused(url: str) -> None:
    """An etcd has hosts with ports, and options that are known; a password is not repeated."""
    with pytest.raises(InvalidArgumentError) as caught:
        finder_of(url)
    assert "secret@" not in str(caught.value)
    assert "springald+etcd://[USER:PASSWORD@]HOST:PORT" in str(caught.value)


def test_finder_of_a_file_that_is_not_there_is_refused() -> None:
    """The file of the password is read once, in the beginning."""
    with pytest.raises(InvalidArgumentError, match="password can be read"):
        finder_of("springald+etcd://me@host:1?password_file=/is/not/there")
