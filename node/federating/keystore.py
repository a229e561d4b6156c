"""What the checks of the federation library ask this node: who may send, and public keys."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from federation.acceptance import InboxPolicy
from federation.errors import FederationError, Reason, Refusal
from federation.origin import host_of, without_fragment
from federation.signatures import (
    PublicKey,
    SignedRequest,
    claimed_host,
    claimed_key,
    key_or_owner,
    strip_to_keys,
)
from federation.vocabulary import ActorDocument
from node.caches_and_limits import LimitExceededError
from node.federating import actors, fetching, peers
from node.federating.models import Actor, ActorKey, InboxItem
from node.runtime import Node

# Anybody can name any document of a server that we speak with as the key's; and in open mode, any
# number of servers.
MAX_FETCHES_PER_HOST, MAX_FETCHES = 30, 3_000
# What a server answers that may answer otherwise soon.
TEMPORARY_STATUSES = frozenset({408, 425, 429})
DISTANT_PAST = datetime.min.replace(tzinfo=UTC)
SELECT_KEYS = select(ActorKey.key_id, Actor.uri, ActorKey.public_pem, ActorKey.asserts).join(Actor)


def build_policy(node: Node) -> InboxPolicy:
    """What this node's settings and peers say about who may send.

    That a host is allowed is remembered for a moment, since its messages come together.
    """

    def host_allowed(host: str) -> bool:
        if node.allowed_host_cache.get(host):
            return True
        with node.reading() as session:
            return peers.is_allowed(session, node.settings, host) and node.allowed_host_cache.put(
                host, True
            )

    return InboxPolicy(
        host_allowed=host_allowed,
        plain_http=frozenset(node.settings.private_hosts),
        history_start=_inbox_history_start(node),
    )


def _inbox_history_start(node: Node) -> datetime | None:
    """When the oldest message came that is kept for certain, where so many came that housekeeping
    deletes by their number.
    """
    known = node.inbox_history_cache.get("")
    if known is None:
        with node.reading() as session:
            newest = session.scalar(select(func.max(InboxItem.id))) or 0
            kept = InboxItem.id > newest - node.settings.most_handled
            oldest = select(InboxItem.received_at).where(kept).order_by(InboxItem.id).limit(1)
            has_all = newest <= node.settings.most_handled
            found = None if has_all else session.scalar(oldest)
            # The dates of messages are in whole seconds.
            known = found.replace(microsecond=0) if found else DISTANT_PAST
        node.inbox_history_cache.put("", known)
    return None if known is DISTANT_PAST else known


def prefetch_keys(node: Node, requests: Iterable[SignedRequest]) -> None:
    """Remember what the tables say of the keys that some requests name, and of their hosts: read
    for all of them at once, before each is judged.
    """
    key_ids, hosts = set(), set()
    for request in requests:
        if node.public_key_cache.get(key_id := claimed_key(request)) is None:
            key_ids.add(key_id)
        if node.allowed_host_cache.get(host := claimed_host(request)) is None:
            hosts.add(host)
    if not key_ids and not hosts:
        return
    with node.reading() as session:
        for host in peers.allowed_among(session, node.settings, hosts):
            node.allowed_host_cache.put(host, True)
        found = session.execute(SELECT_KEYS.where(ActorKey.key_id.in_(key_ids)))
        for key_id, owner, public, asserts in found:
            node.public_key_cache.put(key_id, PublicKey(key_id, owner, public, asserts))


def _load_key(session: Session, key_id: str) -> PublicKey | None:
    """The key as our tables have it. An actor's own id means its first key."""
    query = SELECT_KEYS.where(or_(ActorKey.key_id == key_id, Actor.uri == key_id)).order_by(
        ActorKey.id
    )
    found = session.execute(query).first()
    return PublicKey(key_id, *found[1:]) if found else None


class KeyNotStoredError(Exception):
    """A key would have to be asked for."""


class StoredKeys:
    """`federation.acceptance.KeyStore` over our tables alone.

    What the tables say is remembered for a moment, since messages of one actor come together.
    """

    def __init__(self, node: Node) -> None:
        self._node = node

    def known(self, key_id: str) -> PublicKey | None:
        """The key as we know it; no network."""
        return self._node.public_key_cache.get(key_id) or self._load(key_id)

    def fetch(self, key_id: str) -> PublicKey:
        """Raises `KeyToFetchError`."""
        raise KeyNotStoredError(key_id)

    def _load(self, key_id: str) -> PublicKey | None:
        with self._node.reading() as session:
            key = _load_key(session, key_id)
        return key and self._node.public_key_cache.put(key_id, key)


class KeyDocument(NamedTuple):
    """What is remembered of a document that was asked for to find a key: what it says of keys, and
    what would be kept of the actor, if it is one.
    """

    keys: Mapping[str, Any]
    actor: ActorDocument | None


def _parse_actor(document: Mapping[str, Any]) -> ActorDocument | None:
    try:
        return actors.trim_to_stored(ActorDocument.parse(document))
    except FederationError:
        return None


def _refusal_reason(error: fetching.FetchError) -> Reason:
    if error.status in {404, 410}:
        return Reason.key_gone
    if error.status is None:
        return Reason.key_not_found if error.permanent else Reason.key_unreachable
    is_for_now = error.status in TEMPORARY_STATUSES or error.status >= 500
    return Reason.key_unreachable if is_for_now else Reason.key_not_found


class FetchingKeyStore(StoredKeys):
    """The same, and what their owners say. Nothing fetched is stored before the message is
    accepted.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._fetched_owners: list[ActorDocument] = []
        self._returned_keys: dict[str, PublicKey] = {}

    def known(self, key_id: str) -> PublicKey | None:
        """The key as we know it; no network."""
        key = super().known(key_id)
        if key is not None:
            self._returned_keys[key_id] = key
        return key

    def fetch(self, key_id: str) -> PublicKey:
        """The key as its owner's own document lists it.

        At most one fetch a minute of each document, whatever arrives, and however much at once:
        those who come later get what it brought. At most `MOST_A_MINUTE` of each server, and never
        so many at once that fewer than half of the node's threads are left for everything else:
        whoever would be one too many is to come again. Raises `Refusal`.
        """
        key = self._load(key_id)
        if key not in {None, self._returned_keys.get(key_id)}:  # it was fetched a moment ago
            return key
        most = max(1, self._node.settings.threads // 2)
        try:
            with self._node.key_fetch_limiter.slot(most):
                return self._fetch(key_id)
        except LimitExceededError as error:
            reason = Reason.too_many_keys if error.key else Reason.busy
            raise Refusal(reason, "too many keys are being asked for") from error

    def _fetch(self, key_id: str) -> PublicKey:
        found = self._cached_document(without_fragment(key_id))
        key = key_or_owner(found.keys, key_id)
        if not isinstance(key, PublicKey):
            found = self._cached_document(key.owner)
            key = key.key_in(found.keys)
        if found.actor is None:
            raise Refusal(Reason.key_not_found, f"{key.owner} is not an actor")
        self._fetched_owners.append(found.actor)
        return key

    def _cached_document(self, uri: str) -> KeyDocument:
        found: KeyDocument | Refusal = self._node.key_document_cache.get_or_compute(
            uri, lambda: self._fetch_document(uri)
        )
        if isinstance(found, Refusal):
            raise Refusal(found.reason, found.detail)
        return found

    def _fetch_document(self, uri: str) -> KeyDocument | Refusal:
        self._node.key_fetch_limiter.hit(host_of(uri), MAX_FETCHES_PER_HOST, MAX_FETCHES)
        try:
            found = fetching.fetch_document(self._node, uri)
        except fetching.FetchError as error:
            return Refusal(_refusal_reason(error), error.safe_text)
        return KeyDocument(strip_to_keys(found), _parse_actor(found))

    @property
    def has_fetched(self) -> bool:
        """Whether anything was fetched that is worth keeping."""
        return bool(self._fetched_owners)

    def store_fetched(self, session: Session) -> None:
        """Keep what was fetched, now that the message it was fetched for has been accepted."""
        for owner in self._fetched_owners:
            actors.upsert(session, owner)
        self._node.public_key_cache.clear()
