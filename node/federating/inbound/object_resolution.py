"""Resolves the object of an activity to a trusted document: embedded by its own actor, signed, or
fetched from its origin. Claims about objects of others are never trusted.
"""

from typing import Any

from federation.acceptance import VerifiedDocument, verify_embedded
from federation.errors import FederationError
from federation.origin import host_of
from federation.vocabulary import Activity, id_of, ids_of, type_of
from federation.vocabulary.activity_types import DELETE, Fetch, activity_type
from node.database.tables import now
from node.federating.identity import actors
from node.federating.inbound.keystore import FetchingKeyStore, build_policy
from node.federating.peers import actor_moves, fetching
from node.messages import msg
from node.principal import Principal
from node.runtime import Node, NotHandledError, ReceivedActivity


def needs_fetch(activity: Activity, *, trusted: bool) -> bool:
    """Whether the object of an accepted activity may have to be fetched.

    `trusted`: the activity embeds its object and its actor may speak for it.
    """
    match activity_type(activity.type).fetch:
        case Fetch.embedded_object:
            return isinstance(activity.object, dict)
        case Fetch.target:
            return True
        case Fetch.untrusted_object:
            return activity.object_id is not None and not trusted
        case Fetch.nothing:
            return False


def resolve_embedded(activity: Activity) -> ReceivedActivity:
    """An activity that needs nothing beyond what it embeds."""
    brings_object = activity_type(activity.type).brings_object
    document = activity.object if isinstance(activity.object, dict) else None
    return ReceivedActivity(
        activity, None if brings_object and activity.object_id is None else document
    )


def resolve(node: Node, activity: Activity, forwarded_by: str | None = None) -> ReceivedActivity:
    """An activity with its trusted object. `forwarded_by` is the host that sent it, if that is not
    its actor's. Only an unverified Delete comes here.

    Raises `NotHandledError` for a Delete of an object that its origin still publishes, and
    `FetchError` or `FederationError` if the object cannot be verified.
    """
    fetch = activity_type(activity.type).fetch
    if fetch is Fetch.embedded_object:
        return ReceivedActivity(activity, _resolve_announced(node, activity))
    if fetch is Fetch.target:
        return ReceivedActivity(activity, actor_moves.fetch_successor(node, activity))
    sender = forwarded_by or host_of(activity.actor)
    if activity.type == DELETE:
        return _resolve_delete(node, activity, sender)
    document = fetching.fetch_document(node, activity.object_id or "", referrer_host=sender)
    if forwarded_by is not None:
        _ensure_author_known(node, document, sender)
    return ReceivedActivity(activity, document)


def _resolve_delete(node: Node, activity: Activity, sender: str) -> ReceivedActivity:
    """A Delete forwarded by `sender`, confirmed by the object's origin."""
    try:
        document = fetching.fetch_document(node, activity.object_id or "", referrer_host=sender)
    except fetching.FetchError as error:
        if error.status not in fetching.GONE_STATUSES:
            raise
    else:
        if type_of(document) != fetching.TOMBSTONE:
            raise NotHandledError(msg("the item is still published on its own server"))
    return ReceivedActivity(activity, None, is_unverified=True)


def _resolve_announced(node: Node, activity: Activity) -> dict[str, Any]:
    """The announced activity or object: as embedded if its author has signed it, else as fetched
    from its origin. An object embedded in it is reduced to its id unless it is trusted.
    """
    keys, policy = FetchingKeyStore(node), build_policy(node)
    verified = verify_embedded(activity.object, activity.actor, policy, keys, now())
    if not isinstance(verified, VerifiedDocument):
        announcer_host = host_of(activity.actor)
        fetched = fetching.fetch_document(node, verified.uri, referrer_host=announcer_host)
        verified = verify_embedded(fetched, verified.uri, policy, keys, now())
        if isinstance(verified, VerifiedDocument):
            _ensure_author_known(node, verified.document, announcer_host)
    if not isinstance(verified, VerifiedDocument):
        raise FederationError(msg("%(uri)s was not confirmed by its own server.", uri=verified.uri))
    if keys.has_fetched:
        with node.work(by=Principal.actor(activity.actor)) as work:
            keys.store_fetched(work.session)
    document = dict(verified.document)
    embedded = document.get("object")
    if isinstance(embedded, dict) and not verified.is_embedded_trusted:
        document["object"] = embedded.get("id")
    return document


def _ensure_author_known(node: Node, document: dict[str, Any], referrer_host: str) -> None:
    """Fetch and store the author of a document, if it is a new actor."""
    uri = id_of(document.get("actor")) or next(iter(ids_of(document.get("attributedTo"))), None)
    with node.reading() as session:
        is_known = uri is None or actors.by_uri(session, uri) is not None
    if uri is not None and not is_known:
        author = fetching.fetch_actor(node, uri, referrer_host=referrer_host)
        with node.work(by=Principal.actor(uri)) as work:
            actors.upsert(work.session, author)
