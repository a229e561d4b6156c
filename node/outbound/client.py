"""The HTTP client: signs each hop of a request, and limits responses in size and time."""

import re
import ssl
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from time import monotonic
from typing import Protocol
from urllib.parse import urljoin

import httpcore2

from node.errors import SettingsError
from node.messages import msg
from node.outbound.errors import OutboundError, OutboundErrorCode, timeout_error
from node.outbound.media_types import AS2_MEDIA_TYPES, matches
from node.outbound.network import GuardedBackend, Resolver, system_resolver
from node.outbound.targets import Target, parse_target

Signer = Callable[[str, str, bytes | None], Mapping[str, str]]
"""`(method, url, body)`: returns the headers that sign one hop. `body` is None for GET."""

MAX_REDIRECTS = 3
# Twice the concurrent deliveries of a worker, since documents are fetched meanwhile. The limit for
# idle connections is lower because the pool checks each of them before every request.
MAX_CONNECTIONS = 128
MAX_IDLE_CONNECTIONS = 32
KEEP_ALIVE_SECONDS = 15.0
# Only the status of a response to POST matters; its body is shown to the operator.
MAX_POST_RESPONSE_BYTES = 64 * 1024

_REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"[!-~]([\t -~]*[!-~])?", re.ASCII)
# The client sets these from the URL and the body; callers and signers cannot.
_RESERVED_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection"})


class Transport(Protocol):
    """Sends one request: a pool of guarded connections, or a stand-in for tests."""

    def handle_request(self, request: httpcore2.Request) -> httpcore2.Response: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class OutboundResponse:
    """The response of a server.

    Names in `headers` are lower-case; `url` is the final address after redirects; `elapsed_seconds`
    is in seconds.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    elapsed_seconds: float


class OutboundClient:
    """A thread-safe HTTP client for other servers: https on public IP addresses only.

    `private_hosts` holds the `host:port` pairs of peers that may use plain http, any port, and
    loopback or private addresses. `public_only` is the same client without them, for addresses that
    officers enter. `timeout`, in seconds, covers a whole request: look-up, connection, redirects
    and the last byte of the response. `max_bytes` limits the body of a response to GET.
    Proxies, cookies and credentials from the environment are not used.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        private_hosts: Collection[str] = (),
        timeout: float = 10.0,
        max_bytes: int = 1_048_576,
        ca_file: str | None = None,
        resolver: Resolver = system_resolver,
        transport: Transport | None = None,
    ) -> None:
        self._user_agent = user_agent
        self._private_hosts = frozenset(host.lower() for host in private_hosts)
        self._timeout = timeout
        self._max_bytes = max_bytes
        # A separate pool, so that a connection to a private host is never reused here.
        self.public_only: OutboundClient = self
        if private_hosts:
            self.public_only = OutboundClient(
                user_agent=user_agent,
                timeout=timeout,
                max_bytes=max_bytes,
                ca_file=ca_file,
                resolver=resolver,
                transport=transport,
            )
        self._transport = transport or httpcore2.ConnectionPool(
            ssl_context=_ssl_context(ca_file),
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=MAX_IDLE_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            network_backend=GuardedBackend(resolver, self._private_hosts),
        )

    def get(
        self,
        url: str,
        *,
        accept: str,
        sign: Signer | None = None,
        headers: Mapping[str, str] | None = None,
        content_types: Collection[str] = AS2_MEDIA_TYPES,
        is_host_allowed: Callable[[str], bool] | None = None,
    ) -> OutboundResponse:
        """Fetch `url`, following at most three redirects.

        Raises `OutboundError`, also for a 2xx response that is not one of `content_types`; other
        statuses are returned. `is_host_allowed` is called with the `host` or `host:port` of each
        hop before anything is sent there.
        """
        started = monotonic()
        deadline = started + self._timeout
        for _ in range(MAX_REDIRECTS + 1):
            target = parse_target(url, self._private_hosts)
            if is_host_allowed is not None and not is_host_allowed(target.authority):
                raise _forbidden_server_error(target.authority)
            request_headers = {**(headers or {}), "accept": accept}
            with self._exchange("GET", target, request_headers, None, sign, deadline) as response:
                response_headers = _response_headers(response)
                if response.status not in _REDIRECT_STATUSES or "location" not in response_headers:
                    _check_response(response.status, response_headers, content_types)
                    body = _read_body(response, self._max_bytes)
                    return OutboundResponse(
                        response.status, response_headers, body, target.url, monotonic() - started
                    )
            url = _resolve_redirect(target.url, response_headers["location"])
        raise OutboundError(
            OutboundErrorCode.TOO_MANY_REDIRECTS,
            msg("The server redirects too many times."),
            permanent=True,
        )

    def post(
        self,
        url: str,
        body: bytes,
        *,
        content_type: str,
        sign: Signer | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> OutboundResponse:
        """Send `body` to `url`. Redirects are returned, not followed; long responses are cut off.

        Raises `OutboundError`.
        """
        started = monotonic()
        target = parse_target(url, self._private_hosts)
        request_headers = {**(headers or {}), "content-type": content_type}
        deadline = started + self._timeout
        with self._exchange("POST", target, request_headers, body, sign, deadline) as response:
            response_headers = _response_headers(response)
            truncated_body = (
                b""
                if _is_encoded(response_headers)
                else _read_truncated_body(response, MAX_POST_RESPONSE_BYTES)
            )
            return OutboundResponse(
                response.status, response_headers, truncated_body, target.url, monotonic() - started
            )

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()
        if self.public_only is not self:
            self.public_only.close()

    @contextmanager
    def _exchange(
        self,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        body: bytes | None,
        sign: Signer | None,
        deadline: float,
    ) -> Iterator[httpcore2.Response]:
        """Send one request. The response's body must be read inside the `with` block."""
        signed = sign(method, target.url, body) if sign else {}
        request = httpcore2.Request(
            method,
            httpcore2.URL(
                scheme=target.scheme,
                host=target.host,
                port=target.port,
                target=target.path_and_query,
            ),
            headers=self._request_headers(target, {**headers, **signed}, body),
            content=body,
            extensions={"timeout": _timeouts(deadline)},
        )
        with _translate_errors():
            response = self._transport.handle_request(request)
            try:
                yield response
            finally:
                response.close()

    def _request_headers(
        self, target: Target, extra_headers: Mapping[str, str], body: bytes | None
    ) -> list[tuple[bytes, bytes]]:
        headers = {
            "host": target.authority,
            "user-agent": self._user_agent,
            "accept-encoding": "identity",
        }
        headers |= {
            name.lower(): value
            for name, value in extra_headers.items()
            if name.lower() not in _RESERVED_HEADERS
        }
        if body is not None:
            headers["content-length"] = str(len(body))
        for name, value in headers.items():
            if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
                raise OutboundError(
                    OutboundErrorCode.BAD_HEADER,
                    msg("The request has a header that cannot be sent."),
                    permanent=True,
                )
        return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]


def _forbidden_server_error(authority: str) -> OutboundError:
    return OutboundError(
        OutboundErrorCode.FORBIDDEN_SERVER,
        msg(
            "The address leads to %(authority)s, which this server must not "
            "contact for this request.",
            authority=authority,
        ),
        permanent=True,
    )


def _timeouts(deadline: float) -> dict[str, float]:
    """The `timeout` extension: a deadline for our streams (see `network`), seconds for the pool."""
    return {
        "connect": deadline,
        "read": deadline,
        "write": deadline,
        "pool": max(0.0, deadline - monotonic()),
    }


@cache
def _ssl_context(ca_file: str | None) -> ssl.SSLContext:
    """A context with the system's certificate authorities and those in `ca_file`; cached."""
    context = httpcore2.default_ssl_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise SettingsError(f"The certificate file {ca_file} cannot be used.") from error
    return context


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except httpcore2.TimeoutException as error:
        raise timeout_error() from error
    except httpcore2.NetworkError as error:
        raise OutboundError(
            OutboundErrorCode.UNREACHABLE, msg("The connection to the server was lost.")
        ) from error
    except httpcore2.ProtocolError as error:
        raise OutboundError(
            OutboundErrorCode.PROTOCOL_ERROR, msg("The server’s response is not valid HTTP.")
        ) from error


def _response_headers(response: httpcore2.Response) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _is_encoded(headers: Mapping[str, str]) -> bool:
    return headers.get("content-encoding", "identity").lower() != "identity"


def _check_response(
    status: int, headers: Mapping[str, str], content_types: Collection[str]
) -> None:
    # We ask for an uncompressed body, since a small compressed one can expand to a huge one.
    if _is_encoded(headers):
        raise OutboundError(
            OutboundErrorCode.PROTOCOL_ERROR,
            msg("The server’s response is compressed, although we did not ask for compression."),
        )
    if 200 <= status < 300 and not matches(headers.get("content-type", ""), content_types):
        raise OutboundError(
            OutboundErrorCode.WRONG_CONTENT_TYPE,
            msg("The server’s response is not the type of document we asked for."),
            permanent=True,
        )


def _read_body(response: httpcore2.Response, limit: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > limit:
            raise OutboundError(
                OutboundErrorCode.TOO_LARGE,
                msg("The server’s response is too large."),
                permanent=True,
            )
    return bytes(body)


def _read_truncated_body(response: httpcore2.Response, limit: int) -> bytes:
    body = bytearray()
    try:
        with _translate_errors():
            for chunk in response.iter_stream():
                body += chunk
                if len(body) >= limit:
                    break
    except OutboundError:
        pass  # The status has arrived and decides the outcome; a retry would deliver twice.
    return bytes(body[:limit])


def _resolve_redirect(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise OutboundError(
            OutboundErrorCode.BAD_URL,
            msg("The server redirects to an address that cannot be used."),
            permanent=True,
        ) from error
