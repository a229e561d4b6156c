"""Both sides of a Follow agree on it (FEP-8fcf).

With what we deliver goes a digest of our followers at the receiver's server; where it knows others,
it asks for the list. What others send us so is looked at when we next compare, and whoever was
lost on the way is found: a Follow of ours that they do not know is asked for again, and one that
they think of is undone. An answer that cannot be had changes nothing.
"""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from federation.errors import DocumentError
from federation.followers import HEADER, CollectionSynchronization, partial_followers_digest
from federation.vocabulary import Collection as CollectionDocument
from federation.vocabulary import follow, id_of, undo
from node.federating import actors, comparisons, fetching, following, local_uris, outbox
from node.federating.models import Actor, Follow
from node.messages import message_from, msg
from node.runtime import Node, UnitOfWork

# A council has one actor that follows; more than these are no list of ours.
MAX_LISTED = 1_000
# Of our actors, councils follow and are followed; of others nobody is told what they follow.
FOLLOWER_KIND = "Organization"


def build_header(session: Session, actor: Actor, host: str) -> dict[str, str]:
    """The header that tells `host` which followers of `actor`, who is ours, we know there: by its
    name; empty for an actor whose followers are not kept in step.
    """
    return build_headers(session, {actor.id}, {host}).get((actor.id, host), {})


def build_headers(
    session: Session, actor_ids: Collection[int], hosts: Collection[str]
) -> dict[tuple[int, str], dict[str, str]]:
    """As `header_for`, for many at once: by actor and host, where there is one."""
    query = (
        select(Follow.followed_id, Actor.host, Actor.uri)
        .join(Follow, Follow.follower_id == Actor.id)
        .where(Follow.followed_id.in_(actor_ids), Follow.state == "accepted")
        .where(Actor.host.in_(hosts))
    )
    known = defaultdict[tuple[int, str], list[str]](list)
    for actor_id, host, uri in session.execute(query):
        known[actor_id, host].append(uri)
    ours = Actor.id.in_(actor_ids), Actor.is_local, Actor.kind == FOLLOWER_KIND
    return {
        (actor.id, host): {
            HEADER: CollectionSynchronization(
                actor.followers,
                collection_url(actor),
                partial_followers_digest(known[actor.id, host]),
            ).dump()
        }
        for actor in session.scalars(select(Actor).where(*ours))
        if actor.followers
        for host in hosts
    }


def collection_url(actor: Actor) -> str:
    """Where a server finds which followers of `actor` we know there."""
    return f"{actor.followers}_synchronization"


def followers_on_host(session: Session, actor: Actor, host: str) -> list[str]:
    """The ids of the followers of `actor` at `host`."""
    query = (
        select(Actor.uri)
        .join(Follow, Follow.follower_id == Actor.id)
        .where(Follow.followed_id == actor.id, Follow.state == "accepted", Actor.host == host)
    )
    return list(session.scalars(query.order_by(Actor.uri)))


def handle_header(node: Node, sender: str, header: str | None) -> None:
    """What the signed header of a delivery says of the followers of `sender` here.

    Where it is not what we know, its list is fetched later; what cannot be read is passed over.
    """
    with node.reading() as session:
        actor = actors.by_uri(session, sender)
        url = find_mismatch_url(session, actor, header) if actor else None
    if actor is not None and url is not None:
        with node.work(by=sender) as work:
            comparisons.compare_unless_recent(work, actor.id, followers_url=url)


def find_mismatch_url(session: Session, actor: Actor, header: str | None) -> str | None:
    """Where the list is, if `actor` says that other followers of it are here than we know."""
    try:
        told = CollectionSynchronization.parse(header or "", actor.followers)
    except DocumentError:
        return None
    is_same = told.digest == partial_followers_digest(_local_follower_uris(session, actor))
    return None if is_same else told.url


def reconcile(node: Node, actor_id: int, url: str) -> str:
    """Fetch who of ours follows an actor, as its server sees it, and settle what differs.

    Returns what was done, in words; raises `NotFetchedError`, and then nobody was touched.
    """
    listed = _fetch_listed(node, url)
    with node.work(by=url) as work:
        actor = work.session.get_one(Actor, actor_id)
        done = []
        for row in work.session.scalars(select(Follow).where(*_is_local_follow(actor))):
            if row.state == "accepted" and row.follower.uri not in listed:
                following.send_follow(work, row)
                done.append(f"{row.follower.address} asked to follow again")
            elif row.state == "requested" and row.follower.uri in listed:
                following.record_answer(work, row, "accepted")
                done.append(f"{row.follower.address} was accepted")
        for uri in sorted(listed):
            one = actors.local_by_uri(work.session, uri)
            if one is None or one.kind != FOLLOWER_KIND:
                continue
            if following.between(work.session, one, actor) is None:
                _send_undo(work, one, actor)
                done.append(f"{one.address} does not follow")
        return ", ".join(done)


def _fetch_listed(node: Node, url: str) -> set[str]:
    """The ids in the list at `url`. Raises `NotFetchedError` for anything but a whole list."""
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
    """Who of ours follows `actor`, as far as we know."""
    follows = select(Follow).where(*_is_local_follow(actor), Follow.state == "accepted")
    return [row.follower.uri for row in session.scalars(follows)]


def _is_local_follow(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    return Follow.followed_id == actor.id, Follow.follower.has(Actor.is_local)


def _send_undo(work: UnitOfWork, follower: Actor, followed: Actor) -> None:
    """Tell that one of ours does not follow: of a Follow of which nothing but this is known."""
    new = local_uris.new_activity
    about = follow(new(work.settings), follower.uri, followed.uri)
    activity = undo(new(work.settings), follower.uri, about, to=[followed.uri])
    outbox.send(work, follower, activity, to=followed)
    work.audit("follow.end", followed.uri, follower=follower.uri)
