"""Origins: which server may speak for an address (RFC 6454; ActivityPub section 3.1)."""

import ipaddress
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from federation.errors import AddressError, Reason, Refusal

MAX_LEN_URL = 2000
DEFAULT_PORTS = {"https": 443, "http": 80}
# An address is written in ASCII, the rest percent-encoded (RFC 3986 section 2); a backslash is read
# differently by browsers, servers and libraries.
UNSAFE_CHARACTERS = re.compile(r"[^\x21-\x7e]|\\")
# All of an address that its origin depends on (RFC 3986 section 3).
SCHEME_AND_AUTHORITY = re.compile(r"https?://[^/?#]*", re.IGNORECASE | re.ASCII)
# ASCII only: an international name is in its `xn--` form on the wire. No trailing dot.
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
        """`host`, or `host:port` where the port is not the scheme's own."""
        if self.port == DEFAULT_PORTS[self.scheme]:
            return self.host
        return f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


# One request asks for the origins of the same few addresses many times.
@lru_cache(maxsize=1024)
def parse_origin(url: str) -> Origin:
    """The origin of an http or https address.

    Raises `AddressError` for anything else, and for user names, odd characters, trailing dots and
    port 0.
    """
    if len(url) > MAX_LEN_URL or UNSAFE_CHARACTERS.search(url):
        raise AddressError("The address is too long or contains characters that are not allowed.")
    beginning = SCHEME_AND_AUTHORITY.match(url)
    if beginning is None:
        raise AddressError("The address is not a valid web address.")
    return _parse_prefix(beginning[0])


# Many addresses are of the same few servers.
@lru_cache(maxsize=1024)
def _parse_prefix(beginning: str) -> Origin:
    try:
        parts = urlsplit(beginning)
        port = parts.port
    except ValueError as error:
        raise AddressError("The address cannot be read.") from error
    if "@" in parts.netloc or parts.netloc.endswith(":"):
        raise AddressError("The address is not a valid web address.")
    if port == 0:
        raise AddressError("The address has no valid port.")
    return Origin(parts.scheme, _parse_host(parts), port or DEFAULT_PORTS[parts.scheme])


def host_of(url: str) -> str:
    """`host`, or `host:port` where the port is not the scheme's own. Raises `AddressError`."""
    return parse_origin(url).authority


def normalise_authority(text: str) -> str:
    """`host` or `host:port` as people write it, in lower case and without port 443.

    Raises `AddressError`.
    """
    text = text.strip()
    if re.search(r"[/?#]", text):
        raise AddressError("That is not a server name.")
    return host_of(f"https://{text}")


def same_authority(scheme: str, one: str, other: str) -> bool:
    """Whether two `host[:port]` are one under `scheme`, in any case, its own port named or not."""
    try:
        return parse_origin(f"{scheme}://{one}") == parse_origin(f"{scheme}://{other}")
    except AddressError:
        return False


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses share an origin; False also when one of them is no web address."""
    try:
        return parse_origin(one) == parse_origin(other)
    except AddressError:
        return False


def without_fragment(url: str) -> str:
    """The address of the document that holds `url`."""
    return url.partition("#")[0]


def check_id(url: str, plain_http: Collection[str] = frozenset()) -> Origin:
    """The origin of an id. `plain_http` names the `host:port` for which plain http will do.

    Raises `AddressError` for http of any other host, and as `origin` does.
    """
    found = parse_origin(url)
    if found.scheme != "https" and f"{found.host}:{found.port}" not in plain_http:
        raise AddressError("The address does not start with https://.")
    return found


def check_fetched_id(document: Mapping[str, Any], requested_url: str, final_url: str) -> str:
    """The id of a document that was asked for at one address and, in the end, served by another.

    Only the server that served it may say what its id is. Raises `Refusal` (origin_mismatch).
    """
    uri = document.get("id")
    if not isinstance(uri, str) or not same_origin(uri, final_url):
        detail = f"{requested_url} was served by {final_url} with the id {str(uri)[:200]}"
        raise Refusal(Reason.origin_mismatch, detail)
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
