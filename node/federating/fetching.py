"""Reading documents from other nodes: guarded, signed by the node's own actor, and only from hosts
we speak with.
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
from node.federating import actors, peers, signature_schemes
from node.messages import Message, message_from, msg
from node.outbound import AS2, JRD, OutboundError, OutboundResponse, Signer
from node.runtime import Node

# What one server sends can name things of another: of each server so many a minute are fetched on
# such an errand, and so many of all. Nobody has this node knock at a third server's door at will.
MAX_THIRD_PARTY_FETCHES_PER_HOST, MAX_THIRD_PARTY_FETCHES = 20, 300
# How a server says that something is not there, or no more: by a status, or by a document.
GONE_STATUSES, TOMBSTONE = frozenset({404, 410}), "Tombstone"


class FetchError(InvalidInputError):
    """A document could not be had.

    `status` is the answer's, if there was one; `permanent` if asking again is vain.
    """

    def __init__(
        self, safe_text: Message, *, status: int | None = None, permanent: bool = False
    ) -> None:
        super().__init__(safe_text)
        self.status = status
        self.permanent = permanent


class FetchLimitError(FetchError):
    """A document was not asked for: too many were, of its server, within this minute."""


@dataclass(frozen=True)
class ConditionalResponse:
    """The answer to a question with an entity tag: no document where the tag still stands.

    The names of `headers` are lower-case.
    """

    document: dict[str, Any] | None
    headers: Mapping[str, str]


def fetch_document(
    node: Node, uri: str, *, approved_by_operator: bool = False, referrer_host: str | None = None
) -> dict[str, Any]:
    """The ActivityPub document at `uri`, from its own origin. Opens no transaction while it waits.

    `vouched`: an operator named the server just now, so it need not be on the list yet; where it
    sends us on to must be. `sent_by`: the host whose message named `uri`. Raises `NotNowError`
    where that would be one errand too many, and `NotFetchedError` when the host is not one we speak
    with, does not answer, or answers with something else.
    """
    return _parse_document(
        uri,
        _signed_get(
            node, uri, approved_by_operator=approved_by_operator, referrer_host=referrer_host
        ),
    )


def fetch_if_changed(node: Node, uri: str, tag: str) -> ConditionalResponse:
    """As `document`, unless what we know has the entity tag `tag` (RFC 9110 section 13.1.2)."""
    tagged = {"if-none-match": tag}
    answer = _signed_get(node, uri, headers=tagged, accepted_statuses=[HTTPStatus.NOT_MODIFIED])
    is_new = answer.status != HTTPStatus.NOT_MODIFIED
    return ConditionalResponse(_parse_document(uri, answer) if is_new else None, answer.headers)


def fetch_resource(
    node: Node, uri: str, content_types: Collection[str], *, approved_by_operator: bool = False
) -> OutboundResponse:
    """As `document`, what is at `uri` and is no ActivityPub document."""
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
    content_types: Collection[str] = AS2,
) -> OutboundResponse:
    """What is answered to a question that the node signed. `also`: statuses as good as 200."""
    host = _host_of_url(uri)
    may_visit = _host_check(node, host, approved_by_operator=approved_by_operator)
    if referrer_host is not None and referrer_host != host:
        _count_third_party_fetch(node, host)
    with node.reading() as session:
        key = actors.signing_key(actors.node_actor(session, node.settings))

    def get(sign: Signer) -> OutboundResponse:
        return node.outbound.get(
            uri,
            accept=", ".join(content_types),
            sign=sign,
            content_types=content_types,
            headers=headers,
            is_host_allowed=may_visit,
        )

    return _check_response(
        lambda: _get_with_known_scheme(node, host, key, get), host, accepted_statuses
    )


def _get_with_known_scheme(
    node: Node, host: str, key: PrivateKey, get: Callable[[Signer], OutboundResponse]
) -> OutboundResponse:
    """Signed as the host is known to take it; what is learned of that is remembered."""
    with node.reading() as session:
        known = signature_schemes.known_scheme(session, host)
    answer, scheme = signature_schemes.send_signed(known, key, get)
    if scheme != known:
        with node.work(by=host) as work:
            signature_schemes.save_scheme(work.session, host, scheme)
    return answer


def _parse_document(uri: str, answer: OutboundResponse) -> dict[str, Any]:
    """The document in an answer, if it is the one at `uri`."""
    try:
        found = parse_json(answer.body)
        check_fetched_id(found, uri, answer.url)
    except FederationError as error:
        raise FetchError(
            msg(
                "%(host)s sent an invalid document: %(error)s",
                host=_host_of_url(uri),
                error=message_from(error),
            ),
            permanent=True,
        ) from error
    return found


def fetch_actor(
    node: Node, uri: str, *, approved_by_operator: bool = False, referrer_host: str | None = None
) -> ActorDocument:
    """The document of an actor."""
    found = fetch_document(
        node, uri, approved_by_operator=approved_by_operator, referrer_host=referrer_host
    )
    try:
        return ActorDocument.parse(found)
    except FederationError as error:
        raise FetchError(
            msg("%(uri)s is not an actor: %(error)s", uri=uri, error=message_from(error)),
            permanent=True,
        ) from error


def find_actor(node: Node, address: str, *, approved_by_operator: bool = False) -> ActorDocument:
    """The actor that a person means by `@name@host`, `name@host` or an address (URL).

    `vouched` holds for the server in `address` alone: one that it names in its turn must be on
    the list. Raises `InvalidInputError`, naming the server.
    """
    try:
        wanted = parse_address(address)
    except FederationError as error:
        raise InvalidInputError(
            msg("That is not an address our council can follow."),
            {"address": msg("Enter an address such as @council@moothall.example.gov.uk")},
        ) from error
    if isinstance(wanted, str):
        return fetch_actor(node, wanted, approved_by_operator=approved_by_operator)
    username, host = wanted
    found = _webfinger(node, username, host, approved_by_operator=approved_by_operator)
    if isinstance(found, CanonicalAccount):
        found = _webfinger(
            node,
            found.username,
            found.host,
            approved_by_operator=approved_by_operator and found.host == host,
        )
    if isinstance(found, CanonicalAccount):
        raise _unknown_address_error(host, address)
    return fetch_actor(
        node, found, approved_by_operator=approved_by_operator and host_of(found) == host
    )


def _unknown_address_error(host: str, address: str) -> FetchError:
    return FetchError(
        msg("%(host)s does not recognise %(address)s.", host=host, address=address), permanent=True
    )


def _webfinger(
    node: Node, username: str, host: str, *, approved_by_operator: bool
) -> str | CanonicalAccount:
    """What `host` says by WebFinger of that name."""
    # Nothing says how a private host speaks; it is taken to speak as this node does.
    plain_http = host in node.settings.private_hosts and not node.settings.is_https
    url = webfinger_url(username, host, plain_http=plain_http)
    # Some are found by those alone who say who they are.
    answer = _signed_get(node, url, approved_by_operator=approved_by_operator, content_types=JRD)
    try:
        return actor_id_from_jrd(parse_json(answer.body), username, host)
    except FederationError as error:
        raise _unknown_address_error(host, f"@{username}@{host}") from error


def _host_check(node: Node, host: str, *, approved_by_operator: bool) -> Callable[[str], bool]:
    """What says of each server on the way from `host` whether it may be asked.

    Raises `NotFetchedError` if `host` itself may not. This node is never asked: it would wait for
    itself.
    """
    own = host_of(node.settings.base_url)
    if host == own:
        raise FetchError(
            msg("That address is on this server, not on another council’s server."), permanent=True
        )

    def may_visit(authority: str) -> bool:
        with node.reading() as session:
            if approved_by_operator and authority == host:
                return not peers.is_blocked(session, host)
            is_allowed = authority != own and peers.is_allowed(session, node.settings, authority)
        if is_allowed and authority != host:  # whom `host` sends us on to
            _count_third_party_fetch(node, authority)
        return is_allowed

    if not may_visit(host):
        raise FetchError(
            msg(
                "This server does not exchange data with %(host)s. The operator can allow it.",
                host=host,
            ),
            permanent=True,
        )
    return may_visit


def _count_third_party_fetch(node: Node, host: str) -> None:
    """Count one more question to `host` that another server has us ask. Raises `NotNowError`."""
    try:
        node.third_party_fetch_limiter.hit(
            host, MAX_THIRD_PARTY_FETCHES_PER_HOST, MAX_THIRD_PARTY_FETCHES
        )
    except LimitExceededError as error:
        raise FetchLimitError(
            msg(
                "Too many requests were made to %(host)s on behalf of other servers this minute.",
                host=host,
            )
        ) from error


def _check_response(
    get: Callable[[], OutboundResponse], host: str, accepted_statuses: Collection[int] = ()
) -> OutboundResponse:
    try:
        answer = get()
    except OutboundError as error:
        raise FetchError(
            msg("%(host)s could not be reached: %(error)s", host=host, error=error.safe_text),
            permanent=error.permanent,
        ) from error
    if answer.status != HTTPStatus.OK and answer.status not in accepted_statuses:
        gone = answer.status in GONE_STATUSES
        raise FetchError(
            msg("%(host)s responded with status %(status)s.", host=host, status=answer.status),
            status=answer.status,
            permanent=gone,
        )
    return answer


def _host_of_url(uri: str) -> str:
    try:
        return host_of(uri)
    except FederationError as error:
        raise FetchError(msg("That is not a web address."), permanent=True) from error
