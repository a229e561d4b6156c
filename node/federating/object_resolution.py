"""What an activity is about, as whoever may speak for it says it: embedded, proven, or read at its
origin. What is merely told of others is never believed.
"""

from typing import Any

from federation.acceptance import VerifiedDocument, verify_embedded
from federation.errors import FederationError
from federation.origin import host_of
from federation.vocabulary import Activity, id_of, ids_of, type_of
from node.db import now
from node.federating import actor_moves, actors, fetching
from node.federating.keystore import FetchingKeyStore, build_policy
from node.messages import msg
from node.runtime import Node, NotHandledError, ReceivedActivity

# Activities whose object is acted on, so that it must come from whoever may speak for it.
OBJECT_ACTIVITIES = frozenset({"Create", "Update"})
# What others say is passed on by this.
ANNOUNCE = "Announce"
DELETE = "Delete"


def needs_fetch(activity: Activity, *, trusted: bool) -> bool:
    """Whether the network may be needed to know what an accepted activity is about.

    `trusted`: it embeds its object and may speak for it.
    """
    if activity.type == ANNOUNCE:
        return isinstance(activity.object, dict)
    if activity.type == actor_moves.MOVE:
        return True
    return activity.type in OBJECT_ACTIVITIES and activity.object_id is not None and not trusted


def from_embedded(activity: Activity) -> ReceivedActivity:
    """An activity that holds, or needs, no more than it says itself."""
    is_anonymous = activity.type in OBJECT_ACTIVITIES and activity.object_id is None
    document = activity.object if isinstance(activity.object, dict) else None
    return ReceivedActivity(activity, None if is_anonymous else document)


def resolve(node: Node, activity: Activity, forwarded_by: str | None = None) -> ReceivedActivity:
    """An activity with its object as it is believed. `forwarded_by` is the host that sent it, if
    that was not its actor's. A Delete is read only where nobody proved it.

    Raises `NotForUsError` for a Delete of what its origin still shows, and `NotFetchedError` and
    `FederationError` where it cannot be had.
    """
    if activity.type == ANNOUNCE:
        return ReceivedActivity(activity, _resolve_announced(node, activity))
    if activity.type == actor_moves.MOVE:
        return ReceivedActivity(activity, actor_moves.fetch_successor(node, activity))
    sender = forwarded_by or host_of(activity.actor)
    if activity.type == DELETE:
        return _resolve_delete(node, activity, sender)
    found = fetching.fetch_document(node, activity.object_id or "", referrer_host=sender)
    if forwarded_by is not None:
        _ensure_author_known(node, found, sender)
    return ReceivedActivity(activity, found)


def _resolve_delete(node: Node, activity: Activity, sender: str) -> ReceivedActivity:
    """A Delete that `sender` passed on, of what its own origin says is gone."""
    try:
        found = fetching.fetch_document(node, activity.object_id or "", referrer_host=sender)
    except fetching.FetchError as error:
        if error.status not in fetching.GONE_STATUSES:
            raise
    else:
        if type_of(found) != fetching.TOMBSTONE:
            raise NotHandledError(msg("the item is still published on its own server"))
    return ReceivedActivity(activity, None, is_unverified=True)


def _resolve_announced(node: Node, activity: Activity) -> dict[str, Any]:
    """What is announced: as it is embedded where its author proves it, else as it is at home. Of
    its own object, only what its actor may say.
    """
    keys, rules = FetchingKeyStore(node), build_policy(node)
    found = verify_embedded(activity.object, activity.actor, rules, keys, now())
    if not isinstance(found, VerifiedDocument):
        teller = host_of(activity.actor)
        at_home = fetching.fetch_document(node, found.uri, referrer_host=teller)
        found = verify_embedded(at_home, found.uri, rules, keys, now())
        if isinstance(found, VerifiedDocument):
            _ensure_author_known(node, found.document, teller)
    if not isinstance(found, VerifiedDocument):
        raise FederationError(
            msg("The server that %(uri)s belongs to does not confirm it.", uri=found.uri)
        )
    if keys.has_fetched:
        with node.work(by=activity.actor) as work:
            keys.store_fetched(work.session)
    document = dict(found.document)
    about = document.get("object")
    if isinstance(about, dict) and not found.embedded_trusted:
        document["object"] = about.get("id")
    return document


def _ensure_author_known(node: Node, document: dict[str, Any], teller: str) -> None:
    """Get to know whose activity or object it is, who has never sent us anything."""
    uri = id_of(document.get("actor")) or next(iter(ids_of(document.get("attributedTo"))), None)
    with node.reading() as session:
        is_known = uri is None or actors.by_uri(session, uri) is not None
    if uri is not None and not is_known:
        found = fetching.fetch_actor(node, uri, referrer_host=teller)
        with node.work(by=uri) as work:
            actors.upsert(work.session, found)
