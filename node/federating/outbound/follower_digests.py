"""The digest of our followers at a server, in a header of each delivery to it (FEP-8fcf)."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.followers import HEADER_NAME, CollectionSynchronization, partial_followers_digest
from node.federating.models import Actor, Follow

# Only actors of councils follow and are synchronised; what officers follow is private.
FOLLOWER_KIND = "Organization"


def build_header(session: Session, actor: Actor, host: str) -> dict[str, str]:
    """The synchronisation header with the digest of the followers of the local `actor` on `host`;
    empty for an actor whose followers are not synchronised.
    """
    return build_headers(session, {actor.id}, {host}).get((actor.id, host), {})


def build_headers(
    session: Session, actor_ids: Collection[int], hosts: Collection[str]
) -> dict[tuple[int, str], dict[str, str]]:
    """As `build_header`, for many actors and hosts at once, keyed by actor id and host."""
    query = (
        select(Follow.followed_id, Actor.host, Actor.uri)
        .join(Follow, Follow.follower_id == Actor.id)
        .where(Follow.followed_id.in_(actor_ids), Follow.state == "accepted")
        .where(Actor.host.in_(hosts))
    )
    follower_uris = defaultdict[tuple[int, str], list[str]](list)
    for actor_id, host, uri in session.execute(query):
        follower_uris[actor_id, host].append(uri)
    is_synchronised = Actor.id.in_(actor_ids), Actor.is_local, Actor.kind == FOLLOWER_KIND
    return {
        (actor.id, host): {
            HEADER_NAME: CollectionSynchronization(
                actor.followers,
                collection_url(actor),
                partial_followers_digest(follower_uris[actor.id, host]),
            ).dump()
        }
        for actor in session.scalars(select(Actor).where(*is_synchronised))
        if actor.followers
        for host in hosts
    }


def collection_url(actor: Actor) -> str:
    """The URL of the part of the followers of `actor` that are on the requesting server."""
    return f"{actor.followers}_synchronization"


def followers_on_host(session: Session, actor: Actor, host: str) -> list[str]:
    """The URIs of the followers of `actor` on `host`."""
    query = (
        select(Actor.uri)
        .join(Follow, Follow.follower_id == Actor.id)
        .where(Follow.followed_id == actor.id, Follow.state == "accepted", Actor.host == host)
    )
    return list(session.scalars(query.order_by(Actor.uri)))
