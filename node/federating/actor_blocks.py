"""Blocks between actors: ours of others, and others' of ours.

Whoever our council blocks is not heard, shown or followed any more, and does not follow. Whoever
blocks our council gets nothing more from it. A whole server is blocked in `node.federating.peers`.
"""

from collections.abc import Collection

from sqlalchemy import bindparam, delete, func, or_, select
from sqlalchemy.orm import Session, joinedload

from federation.vocabulary import ActorDocument, id_of, undo
from federation.vocabulary import block as block_activity
from node.db import insert_once, now
from node.errors import InvalidInputError, NotFoundError
from node.federating import actors, following, local_uris, outbox, peers
from node.federating.models import Actor, Block, Follow
from node.messages import msg
from node.runtime import Handlers, NotHandledError, ReceivedActivity, UnitOfWork

# By these somebody only takes back what was said before: they are taken of those blocked too.
RETRACTING_TYPES = frozenset({"Delete", "Undo"})
# Of the actors of one server, and of all, so many blocks of actors of ours are kept.
MAX_BLOCKS_PER_HOST, MAX_BLOCKS = 1_000, 20_000
MAX_LISTED = 500
SELECT_BLOCKED_OR_DELETED = select(Actor.uri).where(
    Actor.uri.in_(bindparam("uris", expanding=True)),
    or_(Actor.is_blocked, Actor.kind == actors.TOMBSTONE),
)


def find_blocked_or_deleted(session: Session, actor_uris: Collection[str]) -> set[str]:
    """Those of some actors that are blocked, or whose account was deleted: all but what takes
    something back is refused.
    """
    return set(session.scalars(SELECT_BLOCKED_OR_DELETED, {"uris": list(actor_uris)}))


def is_refused(kind: str, actor_uri: str, unheard: Collection[str]) -> bool:
    """Whether an activity of this type, by this actor, is refused."""
    return actor_uri in unheard and kind not in RETRACTING_TYPES


def between(session: Session, blocker: Actor, blocked: Actor) -> Block | None:
    return session.scalar(
        select(Block).where(Block.blocker_id == blocker.id, Block.blocked_id == blocked.id)
    )


def list_by_us(session: Session) -> list[Block]:
    """Whom actors of ours block, newest first."""
    return _list_blocks(session, ours=True)


def list_against_us(session: Session) -> list[Block]:
    """Who blocks actors of ours, newest first."""
    return _list_blocks(session, ours=False)


def block(work: UnitOfWork, blocker: Actor, found: ActorDocument | Actor) -> Block:
    """`blocker`, who is ours, blocks a remote actor and tells it so. Again changes nothing.

    Raises `InvalidInputError` for an actor of this node.
    """
    session = work.session
    blocked = found if isinstance(found, Actor) else actors.upsert(session, found)
    if blocked.is_local:
        raise InvalidInputError(
            msg("That is your own server."),
            {"address": msg("Enter an address on another server")},
        )
    row = between(session, blocker, blocked)
    if row is not None:
        return row
    uri = local_uris.new_activity(work.settings)
    follows = following.between(session, blocker, blocked)
    if follows is not None:
        following.unfollow(work, follows)
    _delete_follows(session, blocker, blocked)
    row = Block(uri=uri, blocker=blocker, blocked=blocked)
    session.add(row)
    blocked.is_blocked = True
    outbox.send(work, blocker, block_activity(uri, blocker.uri, blocked.uri), to=blocked)
    work.audit("block", blocked.uri, blocker=blocker.uri)
    return row


def unblock(work: UnitOfWork, row: Block) -> None:
    """What the actor said before is shown again; who followed whom has to follow again."""
    if not row.blocker.is_local:
        raise NotFoundError(msg("This block was not made on this server."))
    blocker, blocked = row.blocker, row.blocked
    activity = undo(
        local_uris.new_activity(work.settings),
        blocker.uri,
        block_activity(row.uri, blocker.uri, blocked.uri),
        to=[blocked.uri],
    )
    work.session.delete(row)
    outbox.send(work, blocker, activity, to=blocked)
    others = Block.blocked_id == blocked.id, Block.blocker.has(Actor.is_local)
    still = select(func.count()).where(*others)
    is_blocked = bool(work.session.scalar(still)) or peers.is_blocked(work.session, blocked.host)
    blocked.is_blocked = is_blocked
    work.audit("unblock", blocked.uri, blocker=blocker.uri)


def receive_block(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Somebody blocks an actor of ours: neither follows the other any more."""
    activity, session = received.activity, work.session
    blocked = actors.local_by_uri(session, id_of(activity.object) or "")
    blocker = actors.by_uri(session, activity.actor)
    if blocked is None or blocker is None:
        raise NotHandledError(msg("the blocked account is not on this server"))
    every = select(func.count()).select_from(Block)
    of_host = every.where(actors.on_host(Block.blocker_id, blocker.host))
    if (session.scalar(of_host) or 0) >= MAX_BLOCKS_PER_HOST or (
        session.scalar(every) or 0
    ) >= MAX_BLOCKS:
        raise NotHandledError(msg("too many blocks from that server"))
    values = {"blocker_id": blocker.id, "blocked_id": blocked.id, "at": now()}
    if insert_once(session, Block, uri=activity.id, **values):
        work.audit("blocked-by", blocker.uri, blocked=blocked.uri)
    _delete_follows(session, blocker, blocked)


def receive_undo(work: UnitOfWork, received: ReceivedActivity) -> None:
    """A block of an actor of ours is taken back, embedded or by its bare id."""
    activity, document = received.activity, received.document or {}
    mine = Block.blocker.has(Actor.uri == activity.actor)
    named = Block.uri == (id_of(activity.object) or "")
    if document.get("type") == "Block":
        blocked = id_of(document.get("object")) or ""
        named = or_(named, Block.blocked.has(Actor.uri == blocked))
    row = work.session.scalar(select(Block).where(mine, named))
    if row is None:
        raise NotHandledError(msg("there is no such block"))
    work.session.delete(row)
    work.audit("unblocked-by", activity.actor, blocked=row.blocked.uri)


def check_may_follow(session: Session, follower: Actor, followed: Actor) -> None:
    """Raises `InvalidInputError` where one of them blocks the other."""
    words = None
    if followed.is_blocked:
        words = msg("%(name)s is blocked on this server", name=followed.name)
    elif between(session, followed, follower) is not None:
        words = msg("%(name)s has blocked our council", name=followed.name)
    if words:
        raise InvalidInputError(msg("You cannot follow this address."), {"address": words})


def _delete_follows(session: Session, one: Actor, other: Actor) -> None:
    pairs = [
        (Follow.follower_id == one.id) & (Follow.followed_id == other.id),
        (Follow.follower_id == other.id) & (Follow.followed_id == one.id),
    ]
    session.flush()
    session.execute(delete(Follow).where(or_(*pairs)))


def _list_blocks(session: Session, *, ours: bool) -> list[Block]:
    query = select(Block).where(Block.blocker.has(Actor.is_local == ours))
    both = joinedload(Block.blocker), joinedload(Block.blocked)
    newest_first = query.options(*both).order_by(Block.id.desc())
    return list(session.scalars(newest_first.limit(MAX_LISTED)))


HANDLERS: Handlers = {
    ("Block", ""): receive_block,
    ("Undo", ""): receive_undo,
}
