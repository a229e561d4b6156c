"""Where the inbox finds public keys: what we know, else one fetch of the key and of its owner."""

from collections.abc import Mapping
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


class KeyStore:
    """`federation.acceptance.KeyStore` over our tables. Nothing fetched is stored before the
    message is accepted.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._owner: ActorDocument | None = None

    def known(self, key_id: str) -> PublicKey | None:
        """The key as we know it; no network. An actor's own id means its first key."""
        query = (
            select(ActorKey)
            .join(Actor)
            .where(or_(ActorKey.key_id == key_id, Actor.uri == key_id))
            .order_by(ActorKey.id)
        )
        with self._node.reading() as session:
            key = session.scalars(query).first()
            return (
                PublicKey(key_id, key.actor.uri, key.public_pem, key.asserts) if key else None
            )

    def fetch(self, key_id: str) -> PublicKey:
        """The key as its owner's own document lists it.

        At most one fetch a minute of each document, whatever arrives, and however much at once:
        those who come later get what it brought. At most `MOST_A_MINUTE` of each server, and never
        so many at once that fewer than half of the node's threads are left for everything else:
        whoever would be one too many is refused for now. Raises `Refusal`.
        """
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
            self._owner = ActorDocument.parse(found)
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

    def remember(self, session: Session) -> None:
        """Keep what was fetched, now that the message it was fetched for has been accepted."""
        if self._owner is not None:
            actors.remember(session, self._owner)
