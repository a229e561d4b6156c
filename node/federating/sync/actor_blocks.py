"""Blocks between actors: local actors that block remote ones, and the reverse.

Activities of an actor that our council blocks are refused and hidden, and neither follows the
other. An actor that blocks our council gets nothing more from it. Whole servers are blocked in
`node.federating.peers.service`.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, delete, func, or_, select
from sqlalchemy.orm import Session, joinedload

from federation.vocabulary import ActorDocument, id_of, undo
from federation.vocabulary import block as block_activity
from federation.vocabulary.activity_types import BLOCK, UNDO, activity_type
from node.database.tables import insert_once, now
from node.errors import InvalidInputError, NotFoundError
from node.federating.identity import actors, local_uris
from node.federating.models import Actor, Block, Follow
from node.federating.outbound import outbox
from node.federating.peers import service as peers
from node.federating.sync import following
from node.messages import msg
from node.runtime import Handlers, NotHandledError, ReceivedActivity, Stored, UnitOfWork

# Most blocks of local actors that are stored: by actors of one server, and in all.
MAX_BLOCKS_PER_HOST, MAX_BLOCKS = 1_000, 20_000
MAX_LISTED = 500
SELECT_BLOCKED_OR_DELETED = select(Actor.uri).where(
    Actor.uri.in_(bindparam("uris", expanding=True)),
    or_(Actor.is_blocked, Actor.kind == actors.TOMBSTONE),
)


def find_blocked_or_deleted(session: Session, actor_uris: Collection[str]) -> set[str]:
    """The URIs among `actor_uris` whose actor is blocked or deleted. Their activities are refused,
    except retractions.
    """
    return set(session.scalars(SELECT_BLOCKED_OR_DELETED, {"uris": list(actor_uris)}))


def is_refused(kind: str, actor_uri: str, refused_uris: Collection[str]) -> bool:
    """Whether an activity of type `kind` by this actor is refused. `refused_uris`: blocked or
    deleted actors.
    """
    return actor_uri in refused_uris and not activity_type(kind).is_retraction


def find_block(session: Session, blocker: Actor, blocked: Actor) -> Block | None:
    return session.scalar(
        select(Block).where(Block.blocker_id == blocker.id, Block.blocked_id == blocked.id)
    )


def list_by_us(session: Session) -> list[Block]:
    """Blocks made by local actors, newest first; `MAX_LISTED` at most."""
    return _list_blocks(session, is_local=True)


def list_against_us(session: Session) -> list[Block]:
    """Blocks of local actors by remote ones, newest first; `MAX_LISTED` at most."""
    return _list_blocks(session, is_local=False)


def block(work: UnitOfWork, blocker: Actor, target: ActorDocument | Actor) -> Block:
    """Block a remote actor for the local actor `blocker`, and send it a Block. Does nothing if it
    is already blocked.

    Raises `InvalidInputError` for an actor of this node.
    """
    session = work.session
    blocked = target if isinstance(target, Actor) else actors.upsert(session, target)
    if blocked.is_local:
        raise InvalidInputError(
            msg("You entered an address on your own server."),
            {"address": msg("Enter an address on another server")},
        )
    row = find_block(session, blocker, blocked)
    if row is not None:
        return row
    uri = local_uris.new_activity(work.settings)
    follow = following.find_follow(session, blocker, blocked)
    if follow is not None:
        following.unfollow(work, follow)
    _delete_follows(session, blocker, blocked)
    row = Block(uri=uri, blocker=blocker, blocked=blocked)
    session.add(row)
    blocked.is_blocked = True
    outbox.send(work, blocker, block_activity(uri, blocker.uri, blocked.uri), to=blocked)
    work.audit("block", blocked.uri, blocker=blocker.uri)
    return row


def unblock(work: UnitOfWork, row: Block) -> None:
    """Lift a block made here. The actor's earlier activities are shown again; ended follows are not
    restored. Raises `NotFoundError` for a block made on another server.
    """
    if not row.blocker.is_local:
        raise NotFoundError(
            msg("You cannot remove this block because it was made on another server.")
        )
    blocker, blocked = row.blocker, row.blocked
    activity = undo(
        local_uris.new_activity(work.settings),
        blocker.uri,
        block_activity(row.uri, blocker.uri, blocked.uri),
        to=[blocked.uri],
    )
    work.session.delete(row)
    outbox.send(work, blocker, activity, to=blocked)
    our_blocks = Block.blocked_id == blocked.id, Block.blocker.has(Actor.is_local)
    remaining = select(func.count()).where(*our_blocks)
    is_blocked = bool(work.session.scalar(remaining))
    blocked.is_blocked = is_blocked or peers.is_blocked(work.session, blocked.host)
    work.audit("unblock", blocked.uri, blocker=blocker.uri)


def receive_block(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle a Block of a local actor: end the follows in both directions."""
    activity, session = received.activity, work.session
    blocked = actors.local_by_uri(session, id_of(activity.object) or "")
    blocker = actors.by_uri(session, activity.actor)
    if blocked is None or blocker is None:
        raise NotHandledError(msg("the blocked account is not on this server"))
    all_blocks = select(func.count()).select_from(Block)
    host_blocks = all_blocks.where(actors.is_on_host(Block.blocker_id, blocker.host))
    if (session.scalar(host_blocks) or 0) >= MAX_BLOCKS_PER_HOST or (
        session.scalar(all_blocks) or 0
    ) >= MAX_BLOCKS:
        raise NotHandledError(msg("too many blocks from that server"))
    values = {"blocker_id": blocker.id, "blocked_id": blocked.id, "at": now()}
    if insert_once(session, Block, uri=activity.id, **values):
        work.audit("blocked-by", blocker.uri, blocked=blocked.uri)
    _delete_follows(session, blocker, blocked)


def receive_undo(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle the Undo of a Block, which is embedded or named by its bare id."""
    activity = received.activity
    embedded = activity.object if isinstance(activity.object, Mapping) else {}
    by_sender = Block.blocker.has(Actor.uri == activity.actor)
    matches = Block.uri == (id_of(activity.object) or "")
    if embedded.get("type") == BLOCK:
        blocked = id_of(embedded.get("object")) or ""
        matches = or_(matches, Block.blocked.has(Actor.uri == blocked))
    row = work.session.scalar(select(Block).where(by_sender, matches))
    if row is None:
        raise NotHandledError(msg("block not found"))
    work.session.delete(row)
    work.audit("unblocked-by", activity.actor, blocked=row.blocked.uri)


def check_may_follow(session: Session, follower: Actor, followed: Actor) -> None:
    """Raises `InvalidInputError` where either actor blocks the other."""
    error = None
    if followed.is_blocked:
        error = msg("%(name)s is blocked on this server", name=followed.name)
    elif find_block(session, followed, follower) is not None:
        error = msg("%(name)s has blocked your council", name=followed.name)
    if error:
        raise InvalidInputError(msg("Your council cannot follow this address."), {"address": error})


def _delete_follows(session: Session, actor: Actor, other: Actor) -> None:
    pairs = [
        (Follow.follower_id == actor.id) & (Follow.followed_id == other.id),
        (Follow.follower_id == other.id) & (Follow.followed_id == actor.id),
    ]
    session.flush()
    session.execute(delete(Follow).where(or_(*pairs)))


def _list_blocks(session: Session, *, is_local: bool) -> list[Block]:
    query = select(Block).where(Block.blocker.has(Actor.is_local == is_local))
    with_actors = joinedload(Block.blocker), joinedload(Block.blocked)
    newest_first = query.options(*with_actors).order_by(Block.id.desc())
    return list(session.scalars(newest_first.limit(MAX_LISTED)))


HANDLERS = Handlers(
    {(BLOCK, ""): receive_block, (UNDO, BLOCK): receive_undo},
    stores=(Stored(Block.uri, BLOCK),),
)
