"""Follows: those of local actors that we send, and those of remote actors that we answer."""

from typing import Any

from sqlalchemy import bindparam, exists, func, select
from sqlalchemy.orm import Session

from federation.vocabulary import Activity, ActorDocument, accept, follow, id_of, reject, undo
from federation.vocabulary.activity_types import ACCEPT, FOLLOW, REJECT, UNDO
from node.database.tables import now
from node.errors import ConflictError, InvalidInputError
from node.federating.identity import actors, local_uris
from node.federating.models import Actor, Follow, InboxItem
from node.federating.outbound import outbox
from node.federating.peers import comparison_schedule
from node.federating.peers import service as peers
from node.federating.sync import backfill
from node.messages import msg
from node.runtime import Handlers, NotHandledError, ReceivedActivity, Stored, UnitOfWork

# Most follows of local actors by actors of one server.
MAX_FOLLOWS_PER_HOST = 1_000
# Beyond this many follows, only servers that the operator allowed may add more.
MAX_FOLLOWS_WITH_UNLISTED = 50_000
SELECT_FOLLOW = select(Follow).where(
    Follow.follower_id == bindparam("follower"), Follow.followed_id == bindparam("followed")
)
SELECT_UNDO = (
    select(InboxItem.id)
    .where(
        InboxItem.object_uri == bindparam("object_uri"),
        InboxItem.type == UNDO,
        InboxItem.actor_uri == bindparam("actor_uri"),
    )
    .limit(1)
)


def find_follow(session: Session, follower: Actor, followed: Actor) -> Follow | None:
    return session.scalar(SELECT_FOLLOW, {"follower": follower.id, "followed": followed.id})


def request_follow(work: UnitOfWork, follower: Actor, document: ActorDocument) -> Follow:
    """Send a Follow from the local `follower` to a remote actor; again, if it was sent before.

    Raises `InvalidInputError` for an actor of this node.
    """
    if actors.local_by_uri(work.session, document.id) is not None:
        raise InvalidInputError(
            msg("You entered an address on your own server."),
            {"address": msg("Enter the address of another council")},
        )
    followed = actors.upsert(work.session, document)
    row = find_follow(work.session, follower, followed)
    if row is None:
        row = Follow(follower=follower, followed=followed)
        work.session.add(row)
    elif row.state == "rejected":
        row.state = "requested"
    row.answered_at = None
    send_follow(work, row)
    return row


def send_follow(work: UnitOfWork, row: Follow) -> None:
    """Send the Follow of this row with a new id, for the first time or again."""
    follower, followed = row.follower, row.followed
    row.uri = local_uris.new_activity(work.settings)
    outbox.send(work, follower, follow(row.uri, follower.uri, followed.uri), to=followed)
    work.audit("follow.request", followed.uri, follower=follower.uri)


def unfollow(work: UnitOfWork, row: Follow) -> None:
    """End a follow by a local actor. Raises `ConflictError` for a remote follower."""
    if not row.follower.is_local:
        raise ConflictError(
            msg("You cannot end this follow because the follower is on another server.")
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
    """Handle a Follow of a local actor: it is always accepted, and a repeated one again.

    An actor that has moved rejects new followers; its document names the new account. A Follow that
    was undone before it arrived is rejected too.
    """
    activity = received.activity
    followed = actors.local_by_uri(work.session, id_of(activity.object) or "")
    follower = actors.by_uri(work.session, activity.actor)
    if followed is None or follower is None:
        raise NotHandledError(msg("the account to follow is not on this server"))
    # Only the properties that identify the Follow, not everything that was sent.
    follow_summary = {
        "id": activity.id,
        "type": FOLLOW,
        "actor": follower.uri,
        "object": followed.uri,
    }
    row = find_follow(work.session, follower, followed)
    if row is None and (followed.moved_to is not None or _was_undone(work.session, activity)):
        answer = reject(local_uris.new_activity(work.settings), followed.uri, follow_summary)
        _send_answer(work, followed, answer, follower)
        return
    if row is None:
        _check_follower_limits(work.session, follower.host)
        row = Follow(follower=follower, followed=followed)
        work.session.add(row)
        work.audit("follow.accept", followed.uri, follower=follower.uri)
    row.uri, row.state, row.answered_at = activity.id, "accepted", now()
    answer = accept(
        local_uris.new_activity(work.settings), followed.uri, follow_summary, to=[follower.uri]
    )
    _send_answer(work, followed, answer, follower)


def _was_undone(session: Session, activity: Activity) -> bool:
    parameters = {"actor_uri": activity.actor, "object_uri": activity.id}
    return session.scalar(SELECT_UNDO, parameters) is not None


def resend_accept(work: UnitOfWork, row: Follow) -> None:
    """Accept a follower again, so that its node compares and finds what is new for it."""
    follower, followed = row.follower, row.followed
    follow_activity = follow(row.uri, follower.uri, followed.uri)
    del follow_activity["@context"]
    uri = local_uris.new_activity(work.settings)
    _send_answer(
        work, followed, accept(uri, followed.uri, follow_activity, to=[follower.uri]), follower
    )


def _send_answer(
    work: UnitOfWork, followed: Actor, answer: dict[str, Any], follower: Actor
) -> None:
    """Send an Accept or Reject, replacing earlier ones that have not been sent yet."""
    outbox.supersede(work.session, followed, follower, ACCEPT, REJECT)
    outbox.send(work, followed, answer, to=follower)


def _check_follower_limits(session: Session, host: str) -> None:
    follows = select(func.count()).select_from(Follow)
    if (session.scalar(follows.where(actors.is_on_host(Follow.follower_id, host))) or 0) >= (
        MAX_FOLLOWS_PER_HOST
    ):
        raise NotHandledError(
            msg("%(host)s has reached the limit for followers from one server", host=host)
        )
    if not peers.explicitly_allowed_among(session, {host}) and (session.scalar(follows) or 0) >= (
        MAX_FOLLOWS_WITH_UNLISTED
    ):
        raise NotHandledError(
            msg("the limit for followers from servers that are not allowed has been reached")
        )


def receive_answer(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle an Accept or Reject of a Follow of ours, sent by the followed actor. A repeated Accept
    says that there may be new content for us, so a comparison is scheduled.
    """
    row = _find_answered_follow(work.session, received.activity)
    if row is None:
        raise NotHandledError(msg("your council did not ask to follow this account"))
    state = "accepted" if received.activity.type == ACCEPT else "rejected"
    if row.state != state or row.answered_at is None:
        record_answer(work, row, state)
    elif state == "accepted":
        comparison_schedule.compare_unless_recent(work, row.followed_id)


def record_answer(work: UnitOfWork, row: Follow, state: str) -> None:
    """Store the answer to a Follow of ours. If accepted, a backfill starts; once per Follow that we
    sent, whatever the number of answers.
    """
    is_first = row.answered_at is None
    row.state, row.answered_at = state, now()
    if row.state == "accepted":
        backfill.start_once(work, row.followed, is_requested=is_first)
    work.audit(f"follow.{row.state}", row.followed.uri, follower=row.follower.uri)


def receive_undo(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle the Undo of a Follow by the follower; the Follow is embedded or named by its bare id.

    Some servers embed the Follow with a new id. But an id that we did receive, and that a later
    Follow has replaced, is an old one: such an Undo is ignored.
    """
    activity = received.activity
    by_sender, uri = Follow.follower.has(Actor.uri == activity.actor), id_of(activity.object) or ""
    row = work.session.scalar(select(Follow).where(by_sender, Follow.uri == uri))
    if row is None and work.session.scalar(select(exists().where(InboxItem.uri == uri))):
        raise NotHandledError(msg("the account has followed again since then"))
    if row is None and received.document is not None and received.document.get("type") == FOLLOW:
        followed = id_of(received.document.get("object")) or ""
        row = work.session.scalar(
            select(Follow).where(by_sender, Follow.followed.has(Actor.uri == followed))
        )
    if row is None:
        raise NotHandledError(msg("the account was not following"))
    work.session.delete(row)
    work.audit("follow.undone", row.followed.uri, follower=activity.actor)


def _find_answered_follow(session: Session, activity: Activity) -> Follow | None:
    """The Follow of ours that `activity` answers: by its id, or by the actor embedded in it."""
    of_sender = Follow.followed.has(Actor.uri == activity.actor)
    by_local_actor = Follow.follower.has(Actor.is_local)
    row = session.scalar(
        select(Follow).where(
            of_sender, by_local_actor, Follow.uri == (id_of(activity.object) or "")
        )
    )
    if row is None and isinstance(activity.object, dict):
        follower_uri = id_of(activity.object.get("actor")) or ""
        row = session.scalar(
            select(Follow).where(
                of_sender, by_local_actor, Follow.follower.has(Actor.uri == follower_uri)
            )
        )
    return row


HANDLERS = Handlers(
    {
        (FOLLOW, ""): receive_follow,
        (ACCEPT, FOLLOW): receive_answer,
        (REJECT, FOLLOW): receive_answer,
        (UNDO, FOLLOW): receive_undo,
    },
    stores=(Stored(Follow.uri, FOLLOW),),
)
