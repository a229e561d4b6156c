"""Follower synchronisation (FEP-8fcf): keeps both servers' views of a Follow the same.

Deliveries carry a digest of our followers at the receiver's server; if its own differs, it fetches
the list. A digest that we receive is checked at the next comparison: a Follow of ours that the
other server does not know is sent again, and one that only they know is undone. A list that cannot
be fetched changes nothing.
"""

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from federation.errors import DocumentError
from federation.followers import CollectionSynchronization, partial_followers_digest
from federation.vocabulary import Collection as CollectionDocument
from federation.vocabulary import follow, id_of, undo
from node.federating.identity import actors, local_uris
from node.federating.models import Actor, Follow
from node.federating.outbound import outbox
from node.federating.outbound.follower_digests import FOLLOWER_KIND
from node.federating.peers import comparison_schedule, fetching
from node.federating.sync import following
from node.messages import message_from, msg
from node.principal import Principal
from node.runtime import Node, UnitOfWork

# A council follows with a single actor, so a longer list is refused.
MAX_LISTED = 1_000


def handle_header(node: Node, sender: str, header: str | None) -> None:
    """Check the signed header of a delivery against the local followers of `sender`. If they
    differ, its list is fetched by the next comparison. An invalid header is ignored.
    """
    with node.reading() as session:
        actor = actors.by_uri(session, sender)
        url = find_mismatch_url(session, actor, header) if actor else None
    if actor is not None and url is not None:
        with node.work(by=Principal.actor(sender)) as work:
            comparison_schedule.compare_unless_recent(work, actor.id, followers_url=url)


def find_mismatch_url(session: Session, actor: Actor, header: str | None) -> str | None:
    """The URL of the list, if the header's digest differs from that of our own data."""
    try:
        remote = CollectionSynchronization.parse(header or "", actor.followers)
    except DocumentError:
        return None
    is_equal = remote.digest == partial_followers_digest(_local_follower_uris(session, actor))
    return None if is_equal else remote.url


def reconcile(node: Node, actor_id: int, url: str) -> str:
    """Fetch which local actors follow `actor_id`, as its server sees it, and repair differences.

    Returns what was done, as text. Raises `FetchError`, and then nothing has changed.
    """
    listed_uris = _fetch_listed(node, url)
    with node.work(by=Principal.actor(url)) as work:
        actor = work.session.get_one(Actor, actor_id)
        changes = []
        for row in work.session.scalars(select(Follow).where(*_local_follow_conditions(actor))):
            if row.state == "accepted" and row.follower.uri not in listed_uris:
                following.send_follow(work, row)
                changes.append(f"{row.follower.address} asked to follow again")
            elif row.state == "requested" and row.follower.uri in listed_uris:
                following.record_answer(work, row, "accepted")
                changes.append(f"{row.follower.address} was accepted")
        for uri in sorted(listed_uris):
            follower = actors.local_by_uri(work.session, uri)
            if follower is None or follower.kind != FOLLOWER_KIND:
                continue
            if following.find_follow(work.session, follower, actor) is None:
                _send_undo(work, follower, actor)
                changes.append(f"{follower.address} does not follow")
        return ", ".join(changes)


def _fetch_listed(node: Node, url: str) -> set[str]:
    """The URIs in the list at `url`. Raises `FetchError` unless the list is complete."""
    try:
        collection = CollectionDocument.parse(fetching.fetch_document(node, url))
    except DocumentError as error:
        raise fetching.FetchError(
            msg("%(url)s is not a collection: %(error)s", url=url, error=message_from(error)),
            permanent=True,
        ) from error
    if collection.items is None or len(collection.items) > MAX_LISTED:
        raise fetching.FetchError(
            msg("%(url)s is not a list of followers.", url=url), permanent=True
        )
    return {uri for item in collection.items if (uri := id_of(item))}


def _local_follower_uris(session: Session, actor: Actor) -> list[str]:
    """The local actors that follow `actor`, by our own data."""
    query = select(Follow).where(*_local_follow_conditions(actor), Follow.state == "accepted")
    return [row.follower.uri for row in session.scalars(query)]


def _local_follow_conditions(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    return Follow.followed_id == actor.id, Follow.follower.has(Actor.is_local)


def _send_undo(work: UnitOfWork, follower: Actor, followed: Actor) -> None:
    """Undo a Follow that only the other server knows, with a new id since its own is unknown."""
    new_uri = local_uris.new_activity
    unknown_follow = follow(new_uri(work.settings), follower.uri, followed.uri)
    activity = undo(new_uri(work.settings), follower.uri, unknown_follow, to=[followed.uri])
    outbox.send(work, follower, activity, to=followed)
    work.audit("follow.end", followed.uri, follower=follower.uri)
