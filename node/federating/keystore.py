"""What the checks of the federation library ask this node: who may send, and public keys."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from federation.acceptance import Policy
from federation.errors import FederationError, Reason, Refusal
from federation.origin import host_of, without_fragment
from federation.signatures import (
    PublicKey,
    SignedRequest,
    claimed_host,
    claimed_key,
    key_or_owner,
    keys_alone,
)
from federation.vocabulary import Actor as ActorDocument
from node.federating import actors, fetching, peers
from node.federating.models import Actor, ActorKey, InboxItem
from node.recent import BusyError
from node.runtime import Node

# Anybody can name any document of a server that we speak with as the key's; and in open mode, any
# number of servers.
MOST_A_MINUTE, MOST_OF_ALL = 30, 3_000
# What a server answers that may answer otherwise soon.
FOR_NOW = frozenset({408, 425, 429})
LONG_AGO = datetime.min.replace(tzinfo=UTC)
KEYS = select(ActorKey.key_id, Actor.uri, ActorKey.public_pem, ActorKey.asserts).join(Actor)


def policy(node: Node) -> Policy:
    """What this node's settings and peers say about who may send.

    That a host is allowed is remembered for a moment, since its messages come together.
    """

    def host_allowed(host: str) -> bool:
        if node.allowed_hosts.get(host):
            return True
        with node.reading() as session:
            return peers.is_allowed(session, node.settings, host) and node.allowed_hosts.put(
                host, True
            )

    return Policy(
        host_allowed=host_allowed,
        plain_http=frozenset(node.settings.private_hosts),
        remembers_since=_remembers_since(node),
    )


def _remembers_since(node: Node) -> datetime | None:
    """When the oldest message came that is kept for certain, where so many came that housekeeping
    deletes by their number.
    """
    known = node.remembers_since.get("")
    if known is None:
        with node.reading() as session:
            newest = session.scalar(select(func.max(InboxItem.id))) or 0
            kept = InboxItem.id > newest - node.settings.most_handled
            oldest = select(InboxItem.received_at).where(kept).order_by(InboxItem.id).limit(1)
            has_all = newest <= node.settings.most_handled
            found = None if has_all else session.scalar(oldest)
            # The dates of messages are in whole seconds.
            known = found.replace(microsecond=0) if found else LONG_AGO
        node.remembers_since.put("", known)
    return None if known is LONG_AGO else known


def read_ahead(node: Node, requests: Iterable[SignedRequest]) -> None:
    """Remember what the tables say of the keys that some requests name, and of their hosts: read
    for all of them at once, before each is judged.
    """
    key_ids, hosts = set(), set()
    for request in requests:
        if node.known_keys.get(key_id := claimed_key(request)) is None:
            key_ids.add(key_id)
        if node.allowed_hosts.get(host := claimed_host(request)) is None:
            hosts.add(host)
    if not key_ids and not hosts:
        return
    with node.reading() as session:
        for host in peers.allowed_among(session, node.settings, hosts):
            node.allowed_hosts.put(host, True)
        found = session.execute(KEYS.where(ActorKey.key_id.in_(key_ids)))
        for key_id, owner, public, asserts in found:
            node.known_keys.put(key_id, PublicKey(key_id, owner, public, asserts))


def _stored(session: Session, key_id: str) -> PublicKey | None:
    """The key as our tables have it. An actor's own id means its first key."""
    query = KEYS.where(or_(ActorKey.key_id == key_id, Actor.uri == key_id)).order_by(ActorKey.id)
    found = session.execute(query).first()
    return PublicKey(key_id, *found[1:]) if found else None


class KeyToFetchError(Exception):
    """A key would have to be asked for."""


class KnownKeys:
    """`federation.acceptance.KeyStore` over our tables alone.

    What the tables say is remembered for a moment, since messages of one actor come together.
    """

    def __init__(self, node: Node) -> None:
        self._node = node

    def known(self, key_id: str) -> PublicKey | None:
        """The key as we know it; no network."""
        return self._node.known_keys.get(key_id) or self._read(key_id)

    def fetch(self, key_id: str) -> PublicKey:
        """Raises `KeyToFetchError`."""
        raise KeyToFetchError(key_id)

    def _read(self, key_id: str) -> PublicKey | None:
        with self._node.reading() as session:
            key = _stored(session, key_id)
        return key and self._node.known_keys.put(key_id, key)


class KeyDocument(NamedTuple):
    """What is remembered of a document that was asked for to find a key: what it says of keys, and
    what would be kept of the actor, if it is one.
    """

    keys: Mapping[str, Any]
    actor: ActorDocument | None


def _actor(document: Mapping[str, Any]) -> ActorDocument | None:
    try:
        return actors.in_short(ActorDocument.parse(document))
    except FederationError:
        return None


def _why(error: fetching.NotFetchedError) -> Reason:
    if error.status in {404, 410}:
        return Reason.key_gone
    if error.status is None:
        return Reason.key_not_found if error.permanent else Reason.key_unreachable
    is_for_now = error.status in FOR_NOW or error.status >= 500
    return Reason.key_unreachable if is_for_now else Reason.key_not_found


class KeyStore(KnownKeys):
    """The same, and what their owners say. Nothing fetched is stored before the message is
    accepted.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._owners: list[ActorDocument] = []
        self._given: dict[str, PublicKey] = {}

    def known(self, key_id: str) -> PublicKey | None:
        """The key as we know it; no network."""
        key = super().known(key_id)
        if key is not None:
            self._given[key_id] = key
        return key

    def fetch(self, key_id: str) -> PublicKey:
        """The key as its owner's own document lists it.

        At most one fetch a minute of each document, whatever arrives, and however much at once:
        those who come later get what it brought. At most `MOST_A_MINUTE` of each server, and never
        so many at once that fewer than half of the node's threads are left for everything else:
        whoever would be one too many is to come again. Raises `Refusal`.
        """
        key = self._read(key_id)
        if key not in {None, self._given.get(key_id)}:  # it was fetched a moment ago
            return key
        most = max(1, self._node.settings.threads // 2)
        try:
            with self._node.key_fetches.place(most):
                return self._fetch(key_id)
        except BusyError as error:
            reason = Reason.too_many_keys if error.name else Reason.busy
            raise Refusal(reason, "too many keys are being asked for") from error

    def _fetch(self, key_id: str) -> PublicKey:
        found = self._document(without_fragment(key_id))
        key = key_or_owner(found.keys, key_id)
        if not isinstance(key, PublicKey):
            found = self._document(key.owner)
            key = key.key_in(found.keys)
        if found.actor is None:
            raise Refusal(Reason.key_not_found, f"{key.owner} is not an actor")
        self._owners.append(found.actor)
        return key

    def _document(self, uri: str) -> KeyDocument:
        found: KeyDocument | Refusal = self._node.key_documents.outcome(
            uri, lambda: self._ask_for(uri)
        )
        if isinstance(found, Refusal):
            raise Refusal(found.reason, found.detail)
        return found

    def _ask_for(self, uri: str) -> KeyDocument | Refusal:
        self._node.key_fetches.spend(host_of(uri), MOST_A_MINUTE, MOST_OF_ALL)
        try:
            found = fetching.document(self._node, uri)
        except fetching.NotFetchedError as error:
            return Refusal(_why(error), error.safe_text)
        return KeyDocument(keys_alone(found), _actor(found))

    @property
    def has_news(self) -> bool:
        """Whether anything was fetched that is worth keeping."""
        return bool(self._owners)

    def remember(self, session: Session) -> None:
        """Keep what was fetched, now that the message it was fetched for has been accepted."""
        for owner in self._owners:
            actors.remember(session, owner)
        self._node.known_keys.forget()
