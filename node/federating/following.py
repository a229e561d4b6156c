"""Following: asking, answering, ending; and what others ask of us."""

from typing import Any

from sqlalchemy import bindparam, exists, func, select
from sqlalchemy.orm import Session

from federation.vocabulary import Activity, accept, follow, id_of, reject, undo
from federation.vocabulary import Actor as ActorDocument
from node.db import now
from node.errors import ConflictError, InvalidInputError
from node.federating import actors, addresses, backfill, comparisons, peers, publishing
from node.federating.models import Actor, Follow, InboxItem
from node.runtime import Handlers, NotForUsError, Received, UnitOfWork
from node.wording import say

# Of the actors of one server, so many follow actors of ours.
MOST_OF_HOST = 1_000
# Where there are so many follows, no server is heard any more that the operator did not allow.
MOST_WITH_STRANGERS = 50_000
BETWEEN = select(Follow).where(
    Follow.follower_id == bindparam("follower"), Follow.followed_id == bindparam("followed")
)
UNDONE = (
    select(InboxItem.id)
    .where(
        InboxItem.object_uri == bindparam("object_uri"),
        InboxItem.type == "Undo",
        InboxItem.actor_uri == bindparam("actor_uri"),
    )
    .limit(1)
)


def between(session: Session, follower: Actor, followed: Actor) -> Follow | None:
    return session.scalar(BETWEEN, {"follower": follower.id, "followed": followed.id})


def request(work: UnitOfWork, follower: Actor, found: ActorDocument) -> Follow:
    """Ask a remote actor to be followed by `follower`. Asking again asks again.

    Raises `InvalidInputError` for an actor of this node.
    """
    if actors.local_by_uri(work.session, found.id) is not None:
        raise InvalidInputError(
            say("That is your own server."),
            {"address": say("Enter the address of another council")},
        )
    followed = actors.remember(work.session, found)
    row = between(work.session, follower, followed)
    if row is None:
        row = Follow(follower=follower, followed=followed)
        work.session.add(row)
    elif row.state == "rejected":
        row.state = "requested"
    row.answered_at = None
    ask(work, row)
    return row


def ask(work: UnitOfWork, row: Follow) -> None:
    """Send a Follow of ours, be it for the first time or again."""
    follower, followed = row.follower, row.followed
    row.uri = addresses.new_activity(work.settings)
    publishing.send(work, follower, follow(row.uri, follower.uri, followed.uri), to=followed)
    work.audit("follow.request", followed.uri, follower=follower.uri)


def end(work: UnitOfWork, row: Follow) -> None:
    """`follower`, who is ours, no longer follows."""
    if not row.follower.is_local:
        raise ConflictError(
            say("This follower is on another server, so you cannot end the follow here.")
        )
    activity = undo(
        addresses.new_activity(work.settings),
        row.follower.uri,
        follow(row.uri, row.follower.uri, row.followed.uri),
        to=[row.followed.uri],
    )
    publishing.send(work, row.follower, activity, to=row.followed)
    work.session.delete(row)
    work.audit("follow.end", row.followed.uri, follower=row.follower.uri)


def receive_follow(work: UnitOfWork, received: Received) -> None:
    """Somebody follows an actor of ours: accepted, every time they ask.

    One that has moved takes no new followers: its document says where to. A Follow that was undone
    since, and comes again under the same id, is rejected.
    """
    activity = received.activity
    followed = actors.local_by_uri(work.session, id_of(activity.object) or "")
    follower = actors.by_uri(work.session, activity.actor)
    if followed is None or follower is None:
        raise NotForUsError(say("there is no such account on this server to follow"))
    # Of what they sent, only that which says which Follow it was.
    asked = {"id": activity.id, "type": "Follow", "actor": follower.uri, "object": followed.uri}
    row = between(work.session, follower, followed)
    if row is None and (followed.moved_to is not None or _was_undone(work.session, activity)):
        answer = reject(addresses.new_activity(work.settings), followed.uri, asked)
        _answer(work, followed, answer, follower)
        return
    if row is None:
        _check_room(work.session, follower.host)
        row = Follow(follower=follower, followed=followed)
        work.session.add(row)
        work.audit("follow.accept", followed.uri, follower=follower.uri)
    row.uri, row.state, row.answered_at = activity.id, "accepted", now()
    answer = accept(addresses.new_activity(work.settings), followed.uri, asked, to=[follower.uri])
    _answer(work, followed, answer, follower)


def _was_undone(session: Session, activity: Activity) -> bool:
    about = {"actor_uri": activity.actor, "object_uri": activity.id}
    return session.scalar(UNDONE, about) is not None


def accept_again(work: UnitOfWork, row: Follow) -> None:
    """Accept a follower of ours once more: its node then looks for what is there for it now."""
    follower, followed = row.follower, row.followed
    asked = follow(row.uri, follower.uri, followed.uri)
    del asked["@context"]
    uri = addresses.new_activity(work.settings)
    _answer(work, followed, accept(uri, followed.uri, asked, to=[follower.uri]), follower)


def _answer(work: UnitOfWork, followed: Actor, answer: dict[str, Any], follower: Actor) -> None:
    """Of who asks over and over, and takes no answer, the last question alone is answered."""
    publishing.supersede(work.session, followed, follower, "Accept", "Reject")
    publishing.send(work, followed, answer, to=follower)


def _check_room(session: Session, host: str) -> None:
    follows = select(func.count()).select_from(Follow)
    if (session.scalar(follows.where(actors.on_host(Follow.follower_id, host))) or 0) >= (
        MOST_OF_HOST
    ):
        raise NotForUsError(
            say("%(host)s has reached the limit of followers from one server", host=host)
        )
    if not peers.allowed_by_name(session, {host}) and (session.scalar(follows) or 0) >= (
        MOST_WITH_STRANGERS
    ):
        raise NotForUsError(
            say("the limit of followers from servers that are not allowed has been reached")
        )


def receive_answer(work: UnitOfWork, received: Received) -> None:
    """An Accept or Reject of a Follow of ours; only by whom we asked. An Accept that comes again
    says that there may be more for us: we compare.
    """
    row = _asked_of(work.session, received.activity)
    if row is None:
        raise NotForUsError(say("we did not ask to follow this account"))
    state = "accepted" if received.activity.type == "Accept" else "rejected"
    if row.state != state or row.answered_at is None:
        answered(work, row, state)
    elif state == "accepted":
        comparisons.suspect(work, row.followed_id)


def answered(work: UnitOfWork, row: Follow, state: str) -> None:
    """A Follow of ours was accepted or rejected: of whom we follow, we read all that is there.

    Once for each time that we asked: who changes their mind over and over has us read no more.
    """
    is_first = row.answered_at is None
    row.state, row.answered_at = state, now()
    if row.state == "accepted":
        backfill.begin_once(work, row.followed, is_asked=is_first)
    work.audit(f"follow.{row.state}", row.followed.uri, follower=row.follower.uri)


def receive_undo(work: UnitOfWork, received: Received) -> None:
    """Somebody no longer follows an actor of ours; an embedded Follow or its bare id.

    Only by whoever followed. Some servers give the Follow that they embed a new id; but one that we
    did get, and another came after it, was over before: the Undo has been overtaken.
    """
    activity = received.activity
    mine, uri = Follow.follower.has(Actor.uri == activity.actor), id_of(activity.object) or ""
    row = work.session.scalar(select(Follow).where(mine, Follow.uri == uri))
    if row is None and work.session.scalar(select(exists().where(InboxItem.uri == uri))):
        raise NotForUsError(say("they have followed again since"))
    if row is None and received.document is not None and received.document.get("type") == "Follow":
        followed = id_of(received.document.get("object")) or ""
        row = work.session.scalar(
            select(Follow).where(mine, Follow.followed.has(Actor.uri == followed))
        )
    if row is None:
        raise NotForUsError(say("they were not following"))
    work.session.delete(row)
    work.audit("follow.undone", row.followed.uri, follower=activity.actor)


def _asked_of(session: Session, activity: Activity) -> Follow | None:
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
