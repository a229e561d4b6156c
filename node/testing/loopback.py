"""An audit hook that keeps tests from connecting to other addresses than loopback."""

import socket
from ipaddress import ip_address
from typing import Any

# Attempts since the list was last cleared, including those whose error was caught.
blocked_attempts: list[str] = []


class ExternalAccessError(Exception):
    """A test tried to connect to another machine. No OSError, so that the product does not handle
    it.
    """


def block_external_access(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise `ExternalAccessError` for a connection, datagram or look-up that leaves the machine.

    Events and their arguments: the audit events table of the Python documentation.
    """
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        sender, address = arguments
        if sender.family not in {socket.AF_INET, socket.AF_INET6} or not address:
            return
        is_local = _is_loopback(address[0])
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        address = arguments
        is_local = not address[0] or _is_loopback(address[0]) or _is_number(address[0])
    else:
        return
    if not is_local:
        blocked_attempts.append(f"{event} {address[0]!r}")
        raise ExternalAccessError(blocked_attempts[-1])


def _is_loopback(host: str | bytes) -> bool:
    name = _to_text(host)
    # `localhost.` and names below it are not allowed: a DNS server may be asked for them.
    if name == "localhost":
        return True
    try:
        return ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _is_number(host: str | bytes) -> bool:
    """Whether `host` is an IP address in any notation, such as 0x7f.1, and needs no look-up."""
    try:
        socket.inet_aton(_to_text(host))
    except OSError:
        return ":" in _to_text(host)
    return True


def _to_text(host: str | bytes) -> str:
    return (host.decode() if isinstance(host, bytes) else host).lower()
