"""Where the inbox finds public keys: what we know, else one fetch of the key and of its owner."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from federation.errors import FederationError, Reason, Refusal
from federation.origin import host_of, without_fragment
from federation.signatures import PublicKey, key_or_owner
from federation.vocabulary import Actor as ActorDocument
from node.federating import actors, fetching
from node.federating.models import Actor, ActorKey
from node.recent import BusyError
from node.runtime import Node

# Anybody can name any document of a server that we speak with as the key's.
MOST_A_MINUTE = 30


def stored(session: Session, key_ids: Collection[str]) -> dict[str, PublicKey]:
    """Those of the keys that we know, by their ids. An actor's own id means its first key."""
    if not key_ids:
        return {}
    query = (
        select(ActorKey.key_id, Actor.uri, ActorKey.public_pem, ActorKey.asserts)
        .join(Actor)
        .where(or_(ActorKey.key_id.in_(key_ids), Actor.uri.in_(key_ids)))
        .order_by(ActorKey.id)
    )
    found: dict[str, PublicKey] = {}
    for key_id, owner, pem, asserts in session.execute(query):
        for name in (key_id, owner):
            found.setdefault(name, PublicKey(name, owner, pem, asserts))
    return {key_id: found[key_id] for key_id in key_ids if key_id in found}


class KeyStore:
    """`federation.acceptance.KeyStore` over our tables. Nothing fetched is stored before the
    message is accepted.

    With `by_heart`, what this process remembers of the tables will do: then `given` are the keys
    that it gave, and whoever acts on them makes sure, in the same transaction, that they still
    are what is `stored`.
    """

    def __init__(self, node: Node, *, by_heart: bool = False) -> None:
        self._node = node
        self._by_heart = by_heart
        self._owners: dict[str, ActorDocument] = {}
        self.given: dict[str, PublicKey] = {}

    def known(self, key_id: str) -> PublicKey | None:
        """The key as we know it; no network."""
        key = self._node.known_keys.get(key_id) if self._by_heart else None
        if key is None:
            return self._read(key_id)
        self.given[key_id] = key
        return key

    def _read(self, key_id: str) -> PublicKey | None:
        with self._node.reading() as session:
            key = stored(session, [key_id]).get(key_id)
        if key is not None:
            self._node.known_keys.put(key_id, key)
        return key

    def fetch(self, key_id: str) -> PublicKey:
        """The key as its owner's own document lists it.

        At most one fetch a minute of each document, whatever arrives, and however much at once:
        those who come later get what it brought. At most `MOST_A_MINUTE` of each server, and never
        so many at once that fewer than half of the node's threads are left for everything else:
        whoever would be one too many is refused for now. Raises `Refusal`.
        """
        remembered = self.given.pop(key_id, None)
        if remembered is not None:  # another process may have fetched it meanwhile
            key = self._read(key_id)
            if key is not None and key != remembered:
                return key
        most = max(1, self._node.settings.threads // 2)
        try:
            with self._node.key_fetches.place(most):
                return self._fetch(key_id)
        except BusyError as error:
            raise Refusal(Reason.key_not_found, "too many keys are being asked for") from error

    def _fetch(self, key_id: str) -> PublicKey:
        try:
            found = self._document(without_fragment(key_id))
            key = key_or_owner(found, key_id)
            if not isinstance(key, PublicKey):
                found = self._document(key.owner)
                key = key.key_in(found)
            self._owners[key_id] = ActorDocument.parse(found)
        except Refusal:
            raise
        except FederationError as error:
            raise Refusal(Reason.key_not_found, str(error)) from error
        return key

    def _document(self, uri: str) -> Mapping[str, Any]:
        found = self._node.key_documents.outcome(uri, lambda: self._ask_for(uri))
        if isinstance(found, Refusal):
            raise Refusal(found.reason, found.detail)
        return found

    def _ask_for(self, uri: str) -> Mapping[str, Any] | Refusal:
        self._node.key_fetches.spend(host_of(uri), MOST_A_MINUTE)
        try:
            return fetching.document(self._node, uri)
        except fetching.NotFetchedError as error:
            reason = Reason.key_gone if error.status in {404, 410} else Reason.key_not_found
            return Refusal(reason, error.safe_text)

    @property
    def has_news(self) -> bool:
        """Whether anything was fetched that is worth keeping."""
        return bool(self._owners)

    def remember(self, session: Session) -> None:
        """Keep what was fetched, now that the message it was fetched for has been accepted."""
        for key_id, owner in self._owners.items():
            actors.remember(session, owner)
            self._node.known_keys.drop(key_id)
