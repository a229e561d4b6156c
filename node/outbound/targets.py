"""Checks of URLs that need no name look-up."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from node.messages import msg
from node.outbound.errors import OutboundError, OutboundErrorCode

MAX_LEN_URL = 2048
DEFAULT_PORTS = {"http": 80, "https": 443}

# A subset of RFC 3986: no user information, a plain or bracketed host, visible ASCII only.
_AUTHORITY_AND_TARGET = re.compile(
    r"//(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?(?P<target>[/?][!-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_DNS_LABEL = re.compile(r"[a-z0-9_-]{1,63}", re.ASCII)
# Resolvers read a name that ends in a number as an IPv4 address: 2130706433, 0x7f.1, 127.1.
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


@dataclass(frozen=True)
class Target:
    """The destination of a request. `target` is the path with its query, as in the request line."""

    scheme: str
    host: str
    port: int
    path_and_query: str

    @property
    def authority(self) -> str:
        """`host` or `host:port`, as in the Host header."""
        if self.port == DEFAULT_PORTS[self.scheme]:
            return self.host
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path_and_query}"


def parse_target(url: str, private_hosts: Collection[str]) -> Target:
    """Parse `url`, without its fragment.

    `private_hosts` holds lower-case `host:port` pairs; only these may use plain http, other ports
    and numeric IPv4 addresses. Raises a permanent `OutboundError`: bad_url, forbidden_scheme,
    forbidden_port or forbidden_address.
    """
    scheme, colon, rest = url.partition("#")[0].partition(":")
    scheme = scheme.lower()
    if not colon or len(url) > MAX_LEN_URL:
        raise _bad_url_error()
    if scheme not in DEFAULT_PORTS:
        raise _permanent_error(
            OutboundErrorCode.FORBIDDEN_SCHEME, msg("Only https addresses can be used.")
        )
    match = _AUTHORITY_AND_TARGET.fullmatch(rest)
    if match is None:
        raise _bad_url_error()
    host = match["host"].lower()
    port = int(match["port"] or DEFAULT_PORTS[scheme])
    if f"{host}:{port}" not in private_hosts:
        _check_public(scheme, host, port)
    target = match["target"] or "/"
    return Target(scheme, host, port, target if target[0] == "/" else "/" + target)


def _check_public(scheme: str, host: str, port: int) -> None:
    if scheme != "https":
        raise _permanent_error(
            OutboundErrorCode.FORBIDDEN_SCHEME, msg("Only https addresses can be used.")
        )
    if port != DEFAULT_PORTS[scheme]:
        raise _permanent_error(
            OutboundErrorCode.FORBIDDEN_PORT, msg("Only the standard https port can be used.")
        )
    labels = host.split(".")
    if host[0] == "[" or _NUMERIC_LABEL.fullmatch(labels[-1]):
        raise _permanent_error(
            OutboundErrorCode.FORBIDDEN_ADDRESS,
            msg("Enter a server name, not an IP address."),
        )
    if len(host) > 253 or not all(_DNS_LABEL.fullmatch(label) for label in labels):
        raise _bad_url_error()


def _bad_url_error() -> OutboundError:
    return _permanent_error(OutboundErrorCode.BAD_URL, msg("The web address is not valid."))


def _permanent_error(code: OutboundErrorCode, safe_text: str) -> OutboundError:
    return OutboundError(code, safe_text, permanent=True)
