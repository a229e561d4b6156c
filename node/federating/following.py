"""Following: asking, answering, ending; and what others ask of us."""

from typing import Any

from sqlalchemy import bindparam, exists, func, select
from sqlalchemy.orm import Session

from federation.vocabulary import Activity, ActorDocument, accept, follow, id_of, reject, undo
from node.db import now
from node.errors import ConflictError, InvalidInputError
from node.federating import actors, backfill, comparisons, local_uris, outbox, peers
from node.federating.models import Actor, Follow, InboxItem
from node.messages import msg
from node.runtime import Handlers, NotHandledError, ReceivedActivity, UnitOfWork

# Of the actors of one server, so many follow actors of ours.
MAX_FOLLOWS_PER_HOST = 1_000
# Where there are so many follows, no server is heard any more that the operator did not allow.
MAX_FOLLOWS_WITH_UNLISTED = 50_000
SELECT_BETWEEN = select(Follow).where(
    Follow.follower_id == bindparam("follower"), Follow.followed_id == bindparam("followed")
)
SELECT_UNDO = (
    select(InboxItem.id)
    .where(
        InboxItem.object_uri == bindparam("object_uri"),
        InboxItem.type == "Undo",
        InboxItem.actor_uri == bindparam("actor_uri"),
    )
    .limit(1)
)


def between(session: Session, follower: Actor, followed: Actor) -> Follow | None:
    return session.scalar(SELECT_BETWEEN, {"follower": follower.id, "followed": followed.id})


def request_follow(work: UnitOfWork, follower: Actor, found: ActorDocument) -> Follow:
    """Ask a remote actor to be followed by `follower`. Asking again asks again.

    Raises `InvalidInputError` for an actor of this node.
    """
    if actors.local_by_uri(work.session, found.id) is not None:
        raise InvalidInputError(
            msg("That is your own server."),
            {"address": msg("Enter the address of another council")},
        )
    followed = actors.upsert(work.session, found)
    row = between(work.session, follower, followed)
    if row is None:
        row = Follow(follower=follower, followed=followed)
        work.session.add(row)
    elif row.state == "rejected":
        row.state = "requested"
    row.answered_at = None
    send_follow(work, row)
    return row


def send_follow(work: UnitOfWork, row: Follow) -> None:
    """Send a Follow of ours, be it for the first time or again."""
    follower, followed = row.follower, row.followed
    row.uri = local_uris.new_activity(work.settings)
    outbox.send(work, follower, follow(row.uri, follower.uri, followed.uri), to=followed)
    work.audit("follow.request", followed.uri, follower=follower.uri)


def unfollow(work: UnitOfWork, row: Follow) -> None:
    """`follower`, who is ours, no longer follows."""
    if not row.follower.is_local:
        raise ConflictError(
            msg("This follower is on another server, so you cannot end the follow here.")
        )
    activity = undo(
        local_uris.new_activity(work.settings),
        row.follower.uri,
        follow(row.uri, row.follower.uri, row.followed.uri),
        to=[row.followed.uri],
    )
    outbox.send(work, row.follower, activity, to=row.followed)
    work.session.delete(row)
    work.audit("follow.end", row.followed.uri, follower=row.follower.uri)


def receive_follow(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Somebody follows an actor of ours: accepted, every time they ask.

    One that has moved takes no new followers: its document says where to. A Follow that was undone
    since, and comes again under the same id, is rejected.
    """
    activity = received.activity
    followed = actors.local_by_uri(work.session, id_of(activity.object) or "")
    follower = actors.by_uri(work.session, activity.actor)
    if followed is None or follower is None:
        raise NotHandledError(msg("there is no such account on this server to follow"))
    # Of what they sent, only that which says which Follow it was.
    asked = {"id": activity.id, "type": "Follow", "actor": follower.uri, "object": followed.uri}
    row = between(work.session, follower, followed)
    if row is None and (followed.moved_to is not None or _was_undone(work.session, activity)):
        answer = reject(local_uris.new_activity(work.settings), followed.uri, asked)
        _send_answer(work, followed, answer, follower)
        return
    if row is None:
        _check_follower_limits(work.session, follower.host)
        row = Follow(follower=follower, followed=followed)
        work.session.add(row)
        work.audit("follow.accept", followed.uri, follower=follower.uri)
    row.uri, row.state, row.answered_at = activity.id, "accepted", now()
    answer = accept(local_uris.new_activity(work.settings), followed.uri, asked, to=[follower.uri])
    _send_answer(work, followed, answer, follower)


def _was_undone(session: Session, activity: Activity) -> bool:
    about = {"actor_uri": activity.actor, "object_uri": activity.id}
    return session.scalar(SELECT_UNDO, about) is not None


def resend_accept(work: UnitOfWork, row: Follow) -> None:
    """Accept a follower of ours once more: its node then looks for what is there for it now."""
    follower, followed = row.follower, row.followed
    asked = follow(row.uri, follower.uri, followed.uri)
    del asked["@context"]
    uri = local_uris.new_activity(work.settings)
    _send_answer(work, followed, accept(uri, followed.uri, asked, to=[follower.uri]), follower)


def _send_answer(
    work: UnitOfWork, followed: Actor, answer: dict[str, Any], follower: Actor
) -> None:
    """Of who asks over and over, and takes no answer, the last question alone is answered."""
    outbox.supersede(work.session, followed, follower, "Accept", "Reject")
    outbox.send(work, followed, answer, to=follower)


def _check_follower_limits(session: Session, host: str) -> None:
    follows = select(func.count()).select_from(Follow)
    if (session.scalar(follows.where(actors.on_host(Follow.follower_id, host))) or 0) >= (
        MAX_FOLLOWS_PER_HOST
    ):
        raise NotHandledError(
            msg("%(host)s has reached the limit of followers from one server", host=host)
        )
    if not peers.explicitly_allowed_among(session, {host}) and (session.scalar(follows) or 0) >= (
        MAX_FOLLOWS_WITH_UNLISTED
    ):
        raise NotHandledError(
            msg("the limit of followers from servers that are not allowed has been reached")
        )


def receive_answer(work: UnitOfWork, received: ReceivedActivity) -> None:
    """An Accept or Reject of a Follow of ours; only by whom we asked. An Accept that comes again
    says that there may be more for us: we compare.
    """
    row = _find_answered_follow(work.session, received.activity)
    if row is None:
        raise NotHandledError(msg("we did not ask to follow this account"))
    state = "accepted" if received.activity.type == "Accept" else "rejected"
    if row.state != state or row.answered_at is None:
        record_answer(work, row, state)
    elif state == "accepted":
        comparisons.compare_unless_recent(work, row.followed_id)


def record_answer(work: UnitOfWork, row: Follow, state: str) -> None:
    """A Follow of ours was accepted or rejected: of whom we follow, we read all that is there.

    Once for each time that we asked: who changes their mind over and over has us read no more.
    """
    is_first = row.answered_at is None
    row.state, row.answered_at = state, now()
    if row.state == "accepted":
        backfill.begin_once(work, row.followed, is_requested=is_first)
    work.audit(f"follow.{row.state}", row.followed.uri, follower=row.follower.uri)


def receive_undo(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Somebody no longer follows an actor of ours; an embedded Follow or its bare id.

    Only by whoever followed. Some servers give the Follow that they embed a new id; but one that we
    did get, and another came after it, was over before: the Undo has been overtaken.
    """
    activity = received.activity
    mine, uri = Follow.follower.has(Actor.uri == activity.actor), id_of(activity.object) or ""
    row = work.session.scalar(select(Follow).where(mine, Follow.uri == uri))
    if row is None and work.session.scalar(select(exists().where(InboxItem.uri == uri))):
        raise NotHandledError(msg("they have followed again since"))
    if row is None and received.document is not None and received.document.get("type") == "Follow":
        followed = id_of(received.document.get("object")) or ""
        row = work.session.scalar(
            select(Follow).where(mine, Follow.followed.has(Actor.uri == followed))
        )
    if row is None:
        raise NotHandledError(msg("they were not following"))
    work.session.delete(row)
    work.audit("follow.undone", row.followed.uri, follower=activity.actor)


def _find_answered_follow(session: Session, activity: Activity) -> Follow | None:
    """The Follow of ours that `activity` answers: by its id, or by whom it names."""
    theirs = Follow.followed.has(Actor.uri == activity.actor)
    ours = Follow.follower.has(Actor.is_local)
    row = session.scalar(
        select(Follow).where(theirs, ours, Follow.uri == (id_of(activity.object) or ""))
    )
    if row is None and isinstance(activity.object, dict):
        asker = id_of(activity.object.get("actor")) or ""
        row = session.scalar(
            select(Follow).where(theirs, ours, Follow.follower.has(Actor.uri == asker))
        )
    return row


HANDLERS: Handlers = {
    ("Follow", ""): receive_follow,
    ("Accept", ""): receive_answer,
    ("Reject", ""): receive_answer,
    ("Undo", ""): receive_undo,
}
