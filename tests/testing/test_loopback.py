"""Tests cannot connect to other machines."""

import socket

import pytest

from node.testing.loopback import ExternalAccessError, blocked_attempts


@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "169.254.169.254"])
def test_external_address_is_refused(host: str) -> None:
    with socket.socket() as client, pytest.raises(ExternalAccessError):
        client.connect((host, 9))
    with (
        socket.socket(type=socket.SOCK_DGRAM) as client,
        pytest.raises(ExternalAccessError),
    ):
        client.sendto(b"hello", (host, 9))
    assert len(blocked_attempts) == 2
    blocked_attempts.clear()


@pytest.mark.parametrize("name", ["council.example", "localhost.", "a.localhost"])
def test_name_is_not_looked_up(name: str) -> None:
    with pytest.raises(ExternalAccessError):
        socket.getaddrinfo(name, 443)
    assert blocked_attempts == [f"socket.getaddrinfo {name!r}"]
    blocked_attempts.clear()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1"])
def test_loopback_is_allowed(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = socket.getaddrinfo(host, server.getsockname()[1], family=socket.AF_INET)[0][4]
        with socket.create_connection((str(address[0]), int(address[1]))):
            pass
