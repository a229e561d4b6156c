"""Where the inbox finds public keys: what we know, else one fetch of the key and of its owner."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.errors import FederationError, Reason, Refusal
from federation.origin import without_fragment
from federation.signatures import PublicKey, key_or_owner
from federation.vocabulary import Actor as ActorDocument
from node.federating import actors, fetching
from node.federating.models import ActorKey
from node.runtime import Node


class KeyStore:
    """`federation.acceptance.KeyStore` over our tables.

    Nothing fetched is stored before the message is accepted.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._owner: ActorDocument | None = None

    def known(self, key_id: str) -> PublicKey | None:
        """The key as we know it; no network."""
        with self._node.reading() as session:
            key = session.scalar(select(ActorKey).where(ActorKey.key_id == key_id))
            return PublicKey(key.key_id, key.actor.uri, key.public_pem) if key else None

    def fetch(self, key_id: str) -> PublicKey:
        """The key as its owner's own document lists it.

        At most one fetch a minute for each key, whatever arrives. Raises `Refusal`.
        """
        if not self._node.recent_fetches.first(key_id):
            raise Refusal(Reason.key_not_found, "this key was asked for less than a minute ago")
        try:
            return self._fetch(key_id)
        except fetching.NotFetchedError as error:
            reason = Reason.key_gone if error.status in {404, 410} else Reason.key_not_found
            raise Refusal(reason, error.safe_text) from error
        except Refusal:
            raise
        except FederationError as error:
            raise Refusal(Reason.key_not_found, str(error)) from error

    def _fetch(self, key_id: str) -> PublicKey:
        found = fetching.document(self._node, without_fragment(key_id))
        key = key_or_owner(found, key_id)
        if not isinstance(key, PublicKey):
            found = fetching.document(self._node, key.owner)
            key = key.key_in(found)
        self._owner = ActorDocument.parse(found)
        return key

    def remember(self, session: Session) -> None:
        """Keep what was fetched, now that the message it was fetched for has been accepted."""
        if self._owner is not None:
            actors.remember(session, self._owner)
