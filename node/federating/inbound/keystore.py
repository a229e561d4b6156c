"""Implements what `federation.acceptance` asks of a node: which hosts may send, and public keys."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from federation.acceptance import InboxPolicy
from federation.errors import FederationError, Refusal, RefusalReason
from federation.origin import host_of, without_fragment
from federation.signatures import (
    PublicKey,
    SignedRequest,
    claimed_host,
    claimed_key_id,
    key_or_owner,
    strip_to_keys,
)
from federation.vocabulary import ActorDocument
from node.caches_and_limits import LimitExceededError
from node.federating.identity import actors
from node.federating.models import Actor, ActorKey, InboxItem
from node.federating.peers import fetching
from node.federating.peers import service as peers
from node.runtime import Node

# Key fetches per minute, per server and in all: any message can name any URL of an allowed server
# as its key and, in open mode, any server.
MAX_FETCHES_PER_HOST, MAX_FETCHES = 30, 3_000
# Statuses after which a later request may succeed.
TEMPORARY_STATUSES = frozenset({408, 425, 429})
DISTANT_PAST = datetime.min.replace(tzinfo=UTC)
SELECT_KEYS = select(ActorKey.key_id, Actor.uri, ActorKey.public_pem, ActorKey.asserts).join(Actor)


def build_policy(node: Node) -> InboxPolicy:
    """The acceptance policy by this node's settings and peers.

    Allowed hosts are cached briefly, since messages of one host come in bursts.
    """

    def host_allowed(host: str) -> bool:
        if node.allowed_host_cache.get(host):
            return True
        with node.reading() as session:
            return peers.is_allowed(session, node.settings, host) and node.allowed_host_cache.put(
                host, True
            )

    return InboxPolicy(
        is_host_allowed=host_allowed,
        plain_http_hosts=frozenset(node.settings.private_hosts),
        history_start=_inbox_history_start(node),
    )


def _inbox_history_start(node: Node) -> datetime | None:
    """When the oldest message arrived that housekeeping surely keeps; None while it keeps all."""
    start = node.inbox_history_cache.get("")
    if start is None:
        with node.reading() as session:
            newest = session.scalar(select(func.max(InboxItem.id))) or 0
            is_kept = InboxItem.id > newest - node.settings.most_handled
            oldest = select(InboxItem.received_at).where(is_kept).order_by(InboxItem.id).limit(1)
            keeps_all = newest <= node.settings.most_handled
            received_at = None if keeps_all else session.scalar(oldest)
            # Message dates have whole seconds.
            start = received_at.replace(microsecond=0) if received_at else DISTANT_PAST
        node.inbox_history_cache.put("", start)
    return None if start is DISTANT_PAST else start


def prefetch_keys(node: Node, requests: Iterable[SignedRequest]) -> None:
    """Cache the stored keys and allowed hosts that some requests name, with one query for all,
    before each is verified.
    """
    key_ids, hosts = set(), set()
    for request in requests:
        if node.public_key_cache.get(key_id := claimed_key_id(request)) is None:
            key_ids.add(key_id)
        if node.allowed_host_cache.get(host := claimed_host(request)) is None:
            hosts.add(host)
    if not key_ids and not hosts:
        return
    with node.reading() as session:
        for host in peers.allowed_among(session, node.settings, hosts):
            node.allowed_host_cache.put(host, True)
        rows = session.execute(SELECT_KEYS.where(ActorKey.key_id.in_(key_ids)))
        for key_id, owner, public_pem, asserts in rows:
            node.public_key_cache.put(key_id, PublicKey(key_id, owner, public_pem, asserts))


def _load_key(session: Session, key_id: str) -> PublicKey | None:
    """The stored key with this id. An actor's own id stands for its first key."""
    query = SELECT_KEYS.where(or_(ActorKey.key_id == key_id, Actor.uri == key_id)).order_by(
        ActorKey.id
    )
    row = session.execute(query).first()
    return PublicKey(key_id, *row[1:]) if row else None


class KeyNotStoredError(Exception):
    """A key is not stored and would have to be fetched."""


class DatabaseKeyStore:
    """`federation.acceptance.KeyStore` over the database alone.

    Keys are cached briefly, since messages of one actor come in bursts.
    """

    def __init__(self, node: Node) -> None:
        self._node = node

    def get_stored(self, key_id: str) -> PublicKey | None:
        """The stored key; no network."""
        return self._node.public_key_cache.get(key_id) or self._load(key_id)

    def fetch(self, key_id: str) -> PublicKey:
        """Raises `KeyNotStoredError`."""
        raise KeyNotStoredError(key_id)

    def _load(self, key_id: str) -> PublicKey | None:
        with self._node.reading() as session:
            key = _load_key(session, key_id)
        return key and self._node.public_key_cache.put(key_id, key)


class KeyDocument(NamedTuple):
    """The cached parts of a document fetched for a key: its key properties, and the actor to store,
    if it is one.
    """

    keys: Mapping[str, Any]
    actor: ActorDocument | None


def _parse_actor(document: Mapping[str, Any]) -> ActorDocument | None:
    try:
        return actors.keep_stored_properties(ActorDocument.parse(document))
    except FederationError:
        return None


def _refusal_reason(error: fetching.FetchError) -> RefusalReason:
    if error.status in {404, 410}:
        return RefusalReason.key_gone
    if error.status is None:
        return RefusalReason.key_not_found if error.permanent else RefusalReason.key_unreachable
    is_temporary = error.status in TEMPORARY_STATUSES or error.status >= 500
    return RefusalReason.key_unreachable if is_temporary else RefusalReason.key_not_found


class FetchingKeyStore(DatabaseKeyStore):
    """Stored keys and, where these do not suffice, keys fetched from their owners. Fetched actors
    are stored only once the message is accepted.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._fetched_owners: list[ActorDocument] = []
        self._returned_keys: dict[str, PublicKey] = {}

    def get_stored(self, key_id: str) -> PublicKey | None:
        """The stored key; no network."""
        key = super().get_stored(key_id)
        if key is not None:
            self._returned_keys[key_id] = key
        return key

    def fetch(self, key_id: str) -> PublicKey:
        """The key as its owner's own document lists it.

        Each document is fetched at most once a minute; concurrent requests share the result. At
        most `MAX_FETCHES_PER_HOST` a minute go to one server, and half of the node's threads stay
        free for other requests. Raises `Refusal`, also where a limit is exceeded.
        """
        key = self._load(key_id)
        if key not in {
            None,
            self._returned_keys.get(key_id),
        }:  # fetched by another request meanwhile
            return key
        limit = max(1, self._node.settings.threads // 2)
        try:
            with self._node.key_fetch_limiter.slot(limit):
                return self._fetch(key_id)
        except LimitExceededError as error:
            reason = RefusalReason.too_many_keys if error.key else RefusalReason.busy
            raise Refusal(reason, "too many keys are being fetched") from error

    def _fetch(self, key_id: str) -> PublicKey:
        document = self._cached_document(without_fragment(key_id))
        key = key_or_owner(document.keys, key_id)
        if not isinstance(key, PublicKey):
            document = self._cached_document(key.owner)
            key = key.find_key_in(document.keys)
        if document.actor is None:
            raise Refusal(RefusalReason.key_not_found, f"{key.owner} is not an actor")
        self._fetched_owners.append(document.actor)
        return key

    def _cached_document(self, uri: str) -> KeyDocument:
        document: KeyDocument | Refusal = self._node.key_document_cache.get_or_compute(
            uri, lambda: self._fetch_document(uri)
        )
        if isinstance(document, Refusal):
            raise Refusal(document.reason, document.detail)
        return document

    def _fetch_document(self, uri: str) -> KeyDocument | Refusal:
        self._node.key_fetch_limiter.hit(host_of(uri), MAX_FETCHES_PER_HOST, MAX_FETCHES)
        try:
            document = fetching.fetch_document(self._node, uri)
        except fetching.FetchError as error:
            return Refusal(_refusal_reason(error), error.safe_text)
        return KeyDocument(strip_to_keys(document), _parse_actor(document))

    @property
    def has_fetched(self) -> bool:
        """Whether `store_fetched` has anything to store."""
        return bool(self._fetched_owners)

    def store_fetched(self, session: Session) -> None:
        """Store the fetched actors, now that the message is accepted."""
        for owner in self._fetched_owners:
            actors.upsert(session, owner)
        self._node.public_key_cache.clear()
