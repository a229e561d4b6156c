"""Fetches documents from other servers: only from allowed ones, with size and time limits, signed
by the node's own actor.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from federation.errors import FederationError
from federation.origin import check_fetched_id, host_of
from federation.signatures import PrivateKey
from federation.vocabulary import ActorDocument, parse_json
from federation.webfinger import CanonicalAccount, actor_id_from_jrd, parse_address, webfinger_url
from node.caches_and_limits import LimitExceededError
from node.errors import InvalidInputError
from node.federating.identity import actors, signature_schemes
from node.federating.peers import service as peers
from node.messages import Message, message_from, msg
from node.outbound import AS2_MEDIA_TYPES, JRD_MEDIA_TYPES, OutboundError, OutboundResponse, Signer
from node.principal import Principal
from node.runtime import Node

# A message of one server can name URLs of another. Per minute, at most this many third-party
# fetches per server and in all, so that no one can use this node to flood a third server.
MAX_THIRD_PARTY_FETCHES_PER_HOST, MAX_THIRD_PARTY_FETCHES = 20, 300
# The statuses, or the type of the document, by which a server says that an object is gone.
GONE_STATUSES, TOMBSTONE = frozenset({404, 410}), "Tombstone"


class FetchError(InvalidInputError):
    """A document could not be fetched.

    `status`: that of the response, if there was one. `permanent`: a retry would be useless.
    """

    def __init__(
        self, safe_text: Message, *, status: int | None = None, permanent: bool = False
    ) -> None:
        super().__init__(safe_text)
        self.status = status
        self.permanent = permanent


class FetchLimitError(FetchError):
    """Nothing was requested: the limit of third-party fetches per minute has been reached."""


@dataclass(frozen=True)
class ConditionalResponse:
    """The response to a conditional request; `document` is None if it has not changed.

    The names of `headers` are lower-case.
    """

    document: dict[str, Any] | None
    headers: Mapping[str, str]


def fetch_document(
    node: Node, uri: str, *, approved_by_operator: bool = False, referrer_host: str | None = None
) -> dict[str, Any]:
    """The ActivityPub document at `uri`, from its own origin. Waits for the network outside any
    transaction.

    `approved_by_operator`: an operator has just named the server, so it need not be allowed yet;
    servers that it redirects to must be. `referrer_host`: the host whose message named `uri`.
    Raises `FetchLimitError` beyond the limit of third-party fetches, and `FetchError` if the host
    is not allowed, does not respond, or responds with something else.
    """
    return _parse_document(
        uri,
        _signed_get(
            node, uri, approved_by_operator=approved_by_operator, referrer_host=referrer_host
        ),
    )


def fetch_if_changed(node: Node, uri: str, etag: str) -> ConditionalResponse:
    """As `fetch_document`, unless the stored version with the entity tag `tag` is still current
    (RFC 9110, section 13.1.2).
    """
    headers = {"if-none-match": etag}
    response = _signed_get(node, uri, headers=headers, accepted_statuses=[HTTPStatus.NOT_MODIFIED])
    is_new = response.status != HTTPStatus.NOT_MODIFIED
    return ConditionalResponse(_parse_document(uri, response) if is_new else None, response.headers)


def fetch_resource(
    node: Node, uri: str, content_types: Collection[str], *, approved_by_operator: bool = False
) -> OutboundResponse:
    """As `fetch_document`, for a resource that is not an ActivityPub document."""
    return _signed_get(
        node, uri, approved_by_operator=approved_by_operator, content_types=content_types
    )


def _signed_get(
    node: Node,
    uri: str,
    *,
    approved_by_operator: bool = False,
    referrer_host: str | None = None,
    headers: Mapping[str, str] | None = None,
    accepted_statuses: Collection[int] = (),
    content_types: Collection[str] = AS2_MEDIA_TYPES,
) -> OutboundResponse:
    """The response to a GET signed by the node's actor. `accepted_statuses` count as success, as
    200 does.
    """
    host = _host_of_url(uri)
    is_host_allowed = _build_host_check(node, host, approved_by_operator=approved_by_operator)
    if referrer_host is not None and referrer_host != host:
        _count_third_party_fetch(node, host)
    with node.reading() as session:
        key = actors.get_signing_key(actors.get_node_actor(session, node.settings))

    def get(sign: Signer) -> OutboundResponse:
        return node.outbound.get(
            uri,
            accept=", ".join(content_types),
            sign=sign,
            content_types=content_types,
            headers=headers,
            is_host_allowed=is_host_allowed,
        )

    return _check_response(
        lambda: _get_with_known_scheme(node, host, key, get), host, accepted_statuses
    )


def _get_with_known_scheme(
    node: Node, host: str, key: PrivateKey, get: Callable[[Signer], OutboundResponse]
) -> OutboundResponse:
    """Sign with the scheme that the host is known to accept, and store it if that changes."""
    with node.reading() as session:
        known_scheme = signature_schemes.known_scheme(session, host)
    response, scheme = signature_schemes.send_signed(known_scheme, key, get)
    if scheme != known_scheme:
        with node.work(by=Principal.actor(host)) as work:
            signature_schemes.save_scheme(work.session, host, scheme)
    return response


def _parse_document(uri: str, response: OutboundResponse) -> dict[str, Any]:
    """The document in a response, after checking that it is the one at `uri`."""
    try:
        document = parse_json(response.body)
        check_fetched_id(document, uri, response.url)
    except FederationError as error:
        raise FetchError(
            msg(
                "%(host)s sent an invalid document: %(error)s",
                host=_host_of_url(uri),
                error=message_from(error),
            ),
            permanent=True,
        ) from error
    return document


def fetch_actor(
    node: Node, uri: str, *, approved_by_operator: bool = False, referrer_host: str | None = None
) -> ActorDocument:
    """The document of an actor; arguments and errors as in `fetch_document`."""
    document = fetch_document(
        node, uri, approved_by_operator=approved_by_operator, referrer_host=referrer_host
    )
    try:
        return ActorDocument.parse(document)
    except FederationError as error:
        raise FetchError(
            msg(
                "%(uri)s is not the address of a council, project or person: %(error)s",
                uri=uri,
                error=message_from(error),
            ),
            permanent=True,
        ) from error


def fetch_actor_by_address(
    node: Node, address: str, *, approved_by_operator: bool = False
) -> ActorDocument:
    """The actor at `@name@host`, `name@host` or a URL, as entered by a user.

    `approved_by_operator` applies to the server in `address` only: one that it refers to must be
    allowed. Raises `InvalidInputError`, naming the server.
    """
    try:
        parsed = parse_address(address)
    except FederationError as error:
        raise InvalidInputError(
            msg("Your council cannot follow this address."),
            {"address": msg("Enter an address such as @council@moothall.example.gov.uk")},
        ) from error
    if isinstance(parsed, str):
        return fetch_actor(node, parsed, approved_by_operator=approved_by_operator)
    username, host = parsed
    result = _query_webfinger(node, username, host, approved_by_operator=approved_by_operator)
    if isinstance(result, CanonicalAccount):
        result = _query_webfinger(
            node,
            result.username,
            result.host,
            approved_by_operator=approved_by_operator and result.host == host,
        )
    if isinstance(result, CanonicalAccount):
        raise _unknown_address_error(host, address)
    return fetch_actor(
        node, result, approved_by_operator=approved_by_operator and host_of(result) == host
    )


def _unknown_address_error(host: str, address: str) -> FetchError:
    return FetchError(
        msg("%(host)s does not recognise %(address)s.", host=host, address=address), permanent=True
    )


def _query_webfinger(
    node: Node, username: str, host: str, *, approved_by_operator: bool
) -> str | CanonicalAccount:
    """The actor URI, or the canonical account, in the WebFinger response of `host`."""
    # The scheme of a private host is unknown; assume that of this node.
    plain_http = host in node.settings.private_hosts and not node.settings.is_https
    url = webfinger_url(username, host, plain_http=plain_http)
    # Signed, since some servers answer only requesters who identify themselves.
    response = _signed_get(
        node, url, approved_by_operator=approved_by_operator, content_types=JRD_MEDIA_TYPES
    )
    try:
        return actor_id_from_jrd(parse_json(response.body), username, host)
    except FederationError as error:
        raise _unknown_address_error(host, f"@{username}@{host}") from error


def _build_host_check(
    node: Node, host: str, *, approved_by_operator: bool
) -> Callable[[str], bool]:
    """A function that says whether a host may be requested, for `host` and its redirects.

    Raises `FetchError` if `host` itself may not be. This node is never requested: a request thread
    would wait for another.
    """
    own_host = host_of(node.settings.base_url)
    if host == own_host:
        raise FetchError(
            msg("This address is on your own server. Use an address on another council’s server."),
            permanent=True,
        )

    def is_host_allowed(authority: str) -> bool:
        with node.reading() as session:
            if approved_by_operator and authority == host:
                return not peers.is_blocked(session, host)
            is_allowed = authority != own_host and peers.is_allowed(
                session, node.settings, authority
            )
        if is_allowed and authority != host:  # a redirect target
            _count_third_party_fetch(node, authority)
        return is_allowed

    if not is_host_allowed(host):
        raise FetchError(
            msg(
                "This server does not exchange data with %(host)s. The operator can "
                "allow that server.",
                host=host,
            ),
            permanent=True,
        )
    return is_host_allowed


def _count_third_party_fetch(node: Node, host: str) -> None:
    """Count a request to `host` that another server caused. Raises `FetchLimitError`."""
    try:
        node.third_party_fetch_limiter.hit(
            host, MAX_THIRD_PARTY_FETCHES_PER_HOST, MAX_THIRD_PARTY_FETCHES
        )
    except LimitExceededError as error:
        raise FetchLimitError(
            msg(
                "Too many requests were made to %(host)s for other servers in the last minute.",
                host=host,
            )
        ) from error


def _check_response(
    get: Callable[[], OutboundResponse], host: str, accepted_statuses: Collection[int] = ()
) -> OutboundResponse:
    try:
        response = get()
    except OutboundError as error:
        raise FetchError(
            msg("%(host)s could not be reached: %(error)s", host=host, error=error.safe_text),
            permanent=error.permanent,
        ) from error
    if response.status != HTTPStatus.OK and response.status not in accepted_statuses:
        is_gone = response.status in GONE_STATUSES
        raise FetchError(
            msg("%(host)s responded with status %(status)s.", host=host, status=response.status),
            status=response.status,
            permanent=is_gone,
        )
    return response


def _host_of_url(uri: str) -> str:
    try:
        return host_of(uri)
    except FederationError as error:
        raise FetchError(msg("The web address is not valid."), permanent=True) from error
