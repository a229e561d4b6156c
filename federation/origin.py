"""Origins: which server may speak for an address (RFC 6454; ActivityPub section 3.1)."""

import ipaddress
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from federation.errors import AddressError, Refusal, RefusalReason

MAX_LEN_URL = 2000
DEFAULT_PORTS = {"https": 443, "http": 80}
# An address is ASCII, percent-encoded where needed (RFC 3986 section 2). Browsers, servers and
# libraries disagree about backslashes.
UNSAFE_CHARACTERS = re.compile(r"[^\x21-\x7e]|\\")
# The part of an address that decides its origin (RFC 3986 section 3).
SCHEME_AND_AUTHORITY = re.compile(r"https?://[^/?#]*", re.IGNORECASE | re.ASCII)
# ASCII only: international names use their `xn--` form. No trailing dot.
HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)


class Origin(NamedTuple):
    """Scheme, host in lower case, port as a number."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """`host`, or `host:port` if the port is not the scheme's default."""
        if self.port == DEFAULT_PORTS[self.scheme]:
            return self.host
        return f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


# A single request parses the same few addresses many times.
@lru_cache(maxsize=1024)
def parse_origin(url: str) -> Origin:
    """Return the origin of an http or https address.

    Raises `AddressError` for anything else, and for user names, characters that are not allowed,
    trailing dots and port 0.
    """
    if len(url) > MAX_LEN_URL or UNSAFE_CHARACTERS.search(url):
        raise AddressError("The address is too long or contains characters that are not allowed.")
    match = SCHEME_AND_AUTHORITY.match(url)
    if match is None:
        raise AddressError("The address is not a valid web address.")
    return _parse_prefix(match[0])


# Many addresses have the same few origins.
@lru_cache(maxsize=1024)
def _parse_prefix(prefix: str) -> Origin:
    try:
        parts = urlsplit(prefix)
        port = parts.port
    except ValueError as error:
        raise AddressError("The address cannot be read.") from error
    if "@" in parts.netloc or parts.netloc.endswith(":"):
        raise AddressError("The address is not a valid web address.")
    if port == 0:
        raise AddressError("The address has no valid port.")
    return Origin(parts.scheme, _parse_host(parts), port or DEFAULT_PORTS[parts.scheme])


def host_of(url: str) -> str:
    """`host`, or `host:port` if the port is not the scheme's default. Raises `AddressError`."""
    return parse_origin(url).authority


def normalise_authority(text: str) -> str:
    """Return a typed `host` or `host:port` in lower case and without port 443.

    Raises `AddressError`.
    """
    text = text.strip()
    if re.search(r"[/?#]", text):
        raise AddressError("The server name is not valid.")
    return host_of(f"https://{text}")


def same_authority(scheme: str, first: str, second: str) -> bool:
    """Whether two `host[:port]` name the same server, ignoring case and the default port."""
    try:
        return parse_origin(f"{scheme}://{first}") == parse_origin(f"{scheme}://{second}")
    except AddressError:
        return False


def same_origin(first: str, second: str) -> bool:
    """Whether two addresses share an origin. False if either is not a web address."""
    try:
        return parse_origin(first) == parse_origin(second)
    except AddressError:
        return False


def without_fragment(url: str) -> str:
    """The address of the document that contains `url`."""
    return url.partition("#")[0]


def check_id(url: str, plain_http_hosts: Collection[str] = frozenset()) -> Origin:
    """Return the origin of an id. `plain_http_hosts` holds the `host:port` pairs that may use plain
    http.

    Raises `AddressError` for http on any other host, and as `parse_origin` does.
    """
    origin = parse_origin(url)
    if origin.scheme != "https" and f"{origin.host}:{origin.port}" not in plain_http_hosts:
        raise AddressError("The address does not start with https://.")
    return origin


def check_fetched_id(document: Mapping[str, Any], requested_url: str, final_url: str) -> str:
    """Return the id of a document requested at one address and served, after redirects, by another.

    The id must have the origin of the server that served it. Raises `Refusal` (origin_mismatch).
    """
    uri = document.get("id")
    if not isinstance(uri, str) or not same_origin(uri, final_url):
        detail = f"{requested_url} was served by {final_url} with the id {str(uri)[:200]}"
        raise Refusal(RefusalReason.origin_mismatch, detail)
    return uri


def _parse_host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        try:
            address = ipaddress.IPv6Address(host)
        except ValueError as error:
            raise AddressError("The IPv6 address is not valid.") from error
        if address.scope_id is not None:
            raise AddressError("The address only works on a single network link.")
        return f"[{address.compressed}]"
    if not HOST.fullmatch(host):
        raise AddressError("The address has no valid host name.")
    return host
