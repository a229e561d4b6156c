"""What an activity is about, as whoever may speak for it says it: embedded, proven, or read at its
origin. What is merely told of others is never believed.
"""

from typing import Any

from federation.acceptance import Believed, believe
from federation.errors import FederationError
from federation.origin import host_of
from federation.vocabulary import Activity, id_of, ids_of, type_of
from node.db import now
from node.federating import actors, fetching, moving
from node.federating.keystore import KeyStore, policy
from node.runtime import Node, NotForUsError, Received
from node.wording import say

# Activities whose object is acted on, so that it must come from whoever may speak for it.
CARRYING = frozenset({"Create", "Update"})
# What others say is passed on by this.
PASSING_ON = "Announce"
DELETING = "Delete"


def must_be_read(activity: Activity, *, trusted: bool) -> bool:
    """Whether the network may be needed to know what an accepted activity is about.

    `trusted`: it embeds its object and may speak for it.
    """
    if activity.type == PASSING_ON:
        return isinstance(activity.object, dict)
    if activity.type == moving.MOVE:
        return True
    return activity.type in CARRYING and activity.object_id is not None and not trusted


def embedded(activity: Activity) -> Received:
    """An activity that holds, or needs, no more than it says itself."""
    is_anonymous = activity.type in CARRYING and activity.object_id is None
    document = activity.object if isinstance(activity.object, dict) else None
    return Received(activity, None if is_anonymous else document)


def read(node: Node, activity: Activity, forwarded_by: str | None = None) -> Received:
    """An activity with its object as it is believed. `forwarded_by` is the host that sent it, if
    that was not its actor's. A Delete is read only where nobody proved it.

    Raises `NotForUsError` for a Delete of what its origin still shows, and `NotFetchedError` and
    `FederationError` where it cannot be had.
    """
    if activity.type == PASSING_ON:
        return Received(activity, _passed_on(node, activity))
    if activity.type == moving.MOVE:
        return Received(activity, moving.successor(node, activity))
    sender = forwarded_by or host_of(activity.actor)
    if activity.type == DELETING:
        return _deleted(node, activity, sender)
    found = fetching.document(node, activity.object_id or "", sent_by=sender)
    if forwarded_by is not None:
        _introduce(node, found, sender)
    return Received(activity, found)


def _deleted(node: Node, activity: Activity, sender: str) -> Received:
    """A Delete that `sender` passed on, of what its own origin says is gone."""
    try:
        found = fetching.document(node, activity.object_id or "", sent_by=sender)
    except fetching.NotFetchedError as error:
        if error.status not in fetching.GONE:
            raise
    else:
        if type_of(found) != fetching.TOMBSTONE:
            raise NotForUsError(say("the item is still published on its own server"))
    return Received(activity, None, is_hearsay=True)


def _passed_on(node: Node, activity: Activity) -> dict[str, Any]:
    """What is announced: as it is embedded where its author proves it, else as it is at home. Of
    its own object, only what its actor may say.
    """
    keys, rules = KeyStore(node), policy(node)
    found = believe(activity.object, activity.actor, rules, keys, now())
    if not isinstance(found, Believed):
        teller = host_of(activity.actor)
        at_home = fetching.document(node, found.uri, sent_by=teller)
        found = believe(at_home, found.uri, rules, keys, now())
        if isinstance(found, Believed):
            _introduce(node, found.document, teller)
    if not isinstance(found, Believed):
        raise FederationError(
            say("The server that %(uri)s belongs to does not confirm it.", uri=found.uri)
        )
    if keys.has_news:
        with node.work(by=activity.actor) as work:
            keys.remember(work.session)
    document = dict(found.document)
    about = document.get("object")
    if isinstance(about, dict) and not found.embedded_trusted:
        document["object"] = about.get("id")
    return document


def _introduce(node: Node, document: dict[str, Any], teller: str) -> None:
    """Get to know whose activity or object it is, who has never sent us anything."""
    uri = id_of(document.get("actor")) or next(iter(ids_of(document.get("attributedTo"))), None)
    with node.reading() as session:
        is_known = uri is None or actors.by_uri(session, uri) is not None
    if uri is not None and not is_known:
        found = fetching.actor(node, uri, sent_by=teller)
        with node.work(by=uri) as work:
            actors.remember(work.session, found)
