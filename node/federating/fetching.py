"""Reading documents from other nodes: guarded, signed by the node's own actor, and only from hosts
we speak with.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from federation.errors import FederationError
from federation.origin import check_fetched, host_of
from federation.signatures import PrivateKey
from federation.vocabulary import Actor as ActorDocument
from federation.vocabulary import parse_json
from federation.webfinger import AskThere, actor_id_from_jrd, parse_address, webfinger_url
from node.errors import InvalidInputError
from node.federating import actors, peers, signing
from node.outbound import AS2, JRD, Answer, OutboundError, Signer
from node.recent import BusyError
from node.runtime import Node
from node.wording import Saying, of_library, say

# What one server sends can name things of another: of each server so many a minute are fetched on
# such an errand, and so many of all. Nobody has this node knock at a third server's door at will.
MOST_ERRANDS, MOST_OF_ALL = 20, 300
# How a server says that something is not there, or no more: by a status, or by a document.
GONE, TOMBSTONE = frozenset({404, 410}), "Tombstone"


class NotFetchedError(InvalidInputError):
    """A document could not be had.

    `status` is the answer's, if there was one; `permanent` if asking again is vain.
    """

    def __init__(
        self, safe_text: Saying, *, status: int | None = None, permanent: bool = False
    ) -> None:
        super().__init__(safe_text)
        self.status = status
        self.permanent = permanent


class NotNowError(NotFetchedError):
    """A document was not asked for: too many were, of its server, within this minute."""


@dataclass(frozen=True)
class Changed:
    """The answer to a question with an entity tag: no document where the tag still stands.

    The names of `headers` are lower-case.
    """

    document: dict[str, Any] | None
    headers: Mapping[str, str]


def document(
    node: Node, uri: str, *, vouched: bool = False, sent_by: str | None = None
) -> dict[str, Any]:
    """The ActivityPub document at `uri`, from its own origin. Opens no transaction while it waits.

    `vouched`: an operator named the server just now, so it need not be on the list yet; where it
    sends us on to must be. `sent_by`: the host whose message named `uri`. Raises `NotNowError`
    where that would be one errand too many, and `NotFetchedError` when the host is not one we speak
    with, does not answer, or answers with something else.
    """
    return _read(uri, _signed(node, uri, vouched=vouched, sent_by=sent_by))


def if_changed(node: Node, uri: str, tag: str) -> Changed:
    """As `document`, unless what we know has the entity tag `tag` (RFC 9110 section 13.1.2)."""
    tagged = {"if-none-match": tag}
    answer = _signed(node, uri, headers=tagged, also=[HTTPStatus.NOT_MODIFIED])
    is_new = answer.status != HTTPStatus.NOT_MODIFIED
    return Changed(_read(uri, answer) if is_new else None, answer.headers)


def resource(
    node: Node, uri: str, content_types: Collection[str], *, vouched: bool = False
) -> Answer:
    """As `document`, what is at `uri` and is no ActivityPub document."""
    return _signed(node, uri, vouched=vouched, content_types=content_types)


def _signed(
    node: Node,
    uri: str,
    *,
    vouched: bool = False,
    sent_by: str | None = None,
    headers: Mapping[str, str] | None = None,
    also: Collection[int] = (),
    content_types: Collection[str] = AS2,
) -> Answer:
    """What is answered to a question that the node signed. `also`: statuses as good as 200."""
    host = _host(uri)
    may_visit = _guard(node, host, vouched=vouched)
    if sent_by is not None and sent_by != host:
        _spend_errand(node, host)
    with node.reading() as session:
        key = actors.signing_key(actors.node_actor(session, node.settings))

    def get(sign: Signer) -> Answer:
        return node.outbound.get(
            uri,
            accept=", ".join(content_types),
            sign=sign,
            content_types=content_types,
            headers=headers,
            may_visit=may_visit,
        )

    return _get(lambda: _ask(node, host, key, get), host, also)


def _ask(node: Node, host: str, key: PrivateKey, get: Callable[[Signer], Answer]) -> Answer:
    """Signed as the host is known to take it; what is learned of that is remembered."""
    with node.reading() as session:
        known = signing.known_scheme(session, host)
    answer, scheme = signing.ask(known, key, get)
    if scheme != known:
        with node.work(by=host) as work:
            signing.remember(work.session, host, scheme)
    return answer


def _read(uri: str, answer: Answer) -> dict[str, Any]:
    """The document in an answer, if it is the one at `uri`."""
    try:
        found = parse_json(answer.body)
        check_fetched(found, uri, answer.url)
    except FederationError as error:
        raise NotFetchedError(
            say(
                "%(host)s sent an invalid document: %(error)s",
                host=_host(uri),
                error=of_library(error),
            ),
            permanent=True,
        ) from error
    return found


def actor(
    node: Node, uri: str, *, vouched: bool = False, sent_by: str | None = None
) -> ActorDocument:
    """The document of an actor."""
    found = document(node, uri, vouched=vouched, sent_by=sent_by)
    try:
        return ActorDocument.parse(found)
    except FederationError as error:
        raise NotFetchedError(
            say("%(uri)s is not an actor: %(error)s", uri=uri, error=of_library(error)),
            permanent=True,
        ) from error


def find_actor(node: Node, address: str, *, vouched: bool = False) -> ActorDocument:
    """The actor that a person means by `@name@host`, `name@host` or an address (URL).

    `vouched` holds for the server in `address` alone: one that it names in its turn must be on
    the list. Raises `InvalidInputError`, naming the server.
    """
    try:
        wanted = parse_address(address)
    except FederationError as error:
        raise InvalidInputError(
            say("That is not an address our council can follow."),
            {"address": say("Enter an address such as @council@moothall.example.gov.uk")},
        ) from error
    if isinstance(wanted, str):
        return actor(node, wanted, vouched=vouched)
    username, host = wanted
    found = _look_up(node, username, host, vouched=vouched)
    if isinstance(found, AskThere):
        found = _look_up(node, found.username, found.host, vouched=vouched and found.host == host)
    if isinstance(found, AskThere):
        raise _unknown(host, address)
    return actor(node, found, vouched=vouched and host_of(found) == host)


def _unknown(host: str, address: str) -> NotFetchedError:
    return NotFetchedError(
        say("%(host)s does not recognise %(address)s.", host=host, address=address), permanent=True
    )


def _look_up(node: Node, username: str, host: str, *, vouched: bool) -> str | AskThere:
    """What `host` says by WebFinger of that name."""
    # Nothing says how a private host speaks; it is taken to speak as this node does.
    plain_http = host in node.settings.private_hosts and not node.settings.is_https
    url = webfinger_url(username, host, plain_http=plain_http)
    # Some are found by those alone who say who they are.
    answer = _signed(node, url, vouched=vouched, content_types=JRD)
    try:
        return actor_id_from_jrd(parse_json(answer.body), username, host)
    except FederationError as error:
        raise _unknown(host, f"@{username}@{host}") from error


def _guard(node: Node, host: str, *, vouched: bool) -> Callable[[str], bool]:
    """What says of each server on the way from `host` whether it may be asked.

    Raises `NotFetchedError` if `host` itself may not. This node is never asked: it would wait for
    itself.
    """
    own = host_of(node.settings.base_url)
    if host == own:
        raise NotFetchedError(
            say("That address is on this server, not on another council’s server."), permanent=True
        )

    def may_visit(authority: str) -> bool:
        with node.reading() as session:
            if vouched and authority == host:
                return not peers.is_blocked(session, host)
            is_allowed = authority != own and peers.is_allowed(session, node.settings, authority)
        if is_allowed and authority != host:  # whom `host` sends us on to
            _spend_errand(node, authority)
        return is_allowed

    if not may_visit(host):
        raise NotFetchedError(
            say(
                "This server does not exchange data with %(host)s. The operator can allow it.",
                host=host,
            ),
            permanent=True,
        )
    return may_visit


def _spend_errand(node: Node, host: str) -> None:
    """Count one more question to `host` that another server has us ask. Raises `NotNowError`."""
    try:
        node.errands.spend(host, MOST_ERRANDS, MOST_OF_ALL)
    except BusyError as error:
        raise NotNowError(
            say(
                "Too many requests were made to %(host)s on behalf of other servers this minute.",
                host=host,
            )
        ) from error


def _get(get: Callable[[], Answer], host: str, also: Collection[int] = ()) -> Answer:
    try:
        answer = get()
    except OutboundError as error:
        raise NotFetchedError(
            say("%(host)s could not be reached: %(error)s", host=host, error=error.safe_text),
            permanent=error.permanent,
        ) from error
    if answer.status != HTTPStatus.OK and answer.status not in also:
        gone = answer.status in GONE
        raise NotFetchedError(
            say("%(host)s responded with status %(status)s.", host=host, status=answer.status),
            status=answer.status,
            permanent=gone,
        )
    return answer


def _host(uri: str) -> str:
    try:
        return host_of(uri)
    except FederationError as error:
        raise NotFetchedError(say("That is not a web address."), permanent=True) from error
