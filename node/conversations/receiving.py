"""Comments from other servers: on our projects from whoever writes them, on projects of others
from those whose projects they are.

Every handler is an upsert by id: repeats and disorder are harmless.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.orm import Session

from federation.addressing import is_public, recipients
from federation.origin import same_origin
from federation.properties import type_of
from federation.vocabulary import REPLY_TYPES, Activity, Note, id_of
from node import change_tracking
from node.conversations import comment_subjects, notifications, service
from node.conversations.comment_subjects import CommentSubject
from node.conversations.federate import RemoteComment, from_note
from node.conversations.models import Comment, CommentState
from node.db import insert_once, now
from node.federating import actors, outbox, peers
from node.federating.models import Actor, InboxItem, RemoteTombstone
from node.messages import msg
from node.projects.models import Project, Visibility
from node.runtime import Handlers, NotHandledError, Quota, ReceivedActivity, UnitOfWork

# What one actor and all of one server may have here, and one actor write within an hour.
MAX_PER_ACTOR = 500
MAX_PER_HOST = 5_000
MAX_PER_HOUR = 30
# So many wait for a moderator, whoever wrote them.
MAX_HELD = 5_000
# How often one actor may write or change any of its own within an hour: each time all are told.
MAX_CHANGES_PER_HOUR = 60
# Of one server, so many deletions of what never came are remembered.
MAX_TOMBSTONES_PER_HOST = 2_000
# Among so many whom a note is for, a project's actor is looked for.
MAX_RECIPIENTS = 100

# How many comments somebody wrote, and how many since then.
COMMENT_COUNTS = select(
    func.count(Comment.id),
    func.count(Comment.id).filter(Comment.received_at > bindparam("since")),
).where(Comment.author_id == bindparam("author_id"))


def prefetch(work: UnitOfWork, batch: Sequence[ReceivedActivity]) -> None:
    """Cache the results of queries that a batch of messages needs, with one query of each kind."""
    session = work.session
    senders = [actors.by_uri(session, one.activity.actor) for one in batch]
    peers.prefetch_states(session, {sender.host for sender in senders if sender})
    about, answered, written = set[str](), set[str](), dict[str, Actor]()
    for received, author in zip(batch, senders, strict=True):
        note = received.document or {}
        if author is None or type_of(note) not in REPLY_TYPES:
            about.add(received.activity.object_id or "")
            continue
        written[id_of(note) or ""] = author
        about.add(subject := id_of(note.get("inReplyTo")) or "")
        if peers.explicitly_allowed_among(session, {author.host}):  # it is shown, and announced
            answered.add(subject)
    projects = comment_subjects.prefetch(session, about)
    announcers = [one.actor for one in projects if one.is_local and one.uri in answered]
    outbox.prefetch_follower_inboxes(session, [actor for actor in announcers if actor])
    _prefetch_deleted(session, written)


def receive_note(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Somebody writes or changes a comment on a project of ours."""
    if received.document is None:
        raise NotHandledError(msg("an activity with no object"))
    note = Note.parse(received.document, REPLY_TYPES)
    if type_of(received.document) == "Article" and note.in_reply_to is None:
        raise NotHandledError(msg("an article that is not a reply"))
    known = service.by_uri(work.session, note.id)
    subject = _find_subject(work, note, known)
    if note.attributed_to != received.activity.actor:
        raise NotHandledError(msg("a comment by another author"))
    if not subject.project.is_local:
        raise NotHandledError(
            msg("a comment on another council’s project, not forwarded by that council")
        )
    state = _initial_state(
        work, _require_author(work, note.attributed_to), subject.project.visibility
    )
    comment = _store(work, from_note(note), known, subject, state)
    if comment.state is CommentState.shown:
        service.forward(work, comment, dict(received.activity.raw))


def receive_announced(work: UnitOfWork, received: ReceivedActivity) -> None:
    """The actor of another council's project passes on what somebody said there, as `document` has
    it: as it was proven, or as it is at its author's.
    """
    passed_on = received.document
    if passed_on is None:
        raise NotHandledError(msg("an announcement with an id but no content"))
    if type_of(passed_on) == "Delete":
        _delete(work, Activity.parse(passed_on))
        return
    note = Note.parse(_extract_note(passed_on), REPLY_TYPES)
    known = service.by_uri(work.session, note.id)
    subject = _find_subject(work, note, known)
    author = id_of(passed_on.get("actor")) or note.attributed_to
    if author != note.attributed_to or not same_origin(note.id, author):
        raise NotHandledError(msg("a comment by another author"))
    if subject.project.is_local or not same_origin(received.activity.actor, subject.project.uri):
        raise NotHandledError(msg("not forwarded by the project’s own server"))
    _store(work, from_note(note), known, subject, CommentState.shown)


def upsert_fetched(work: UnitOfWork, project: Project, note: Note, asked_at: datetime) -> None:
    """Keep a comment on another council's project, as its author's own server had it when it was
    asked, then: it may have been withdrawn before.

    Raises `NotForUsError` for what is about something else, or does not fit.
    """
    known = service.by_uri(work.session, note.id)
    subject = _find_subject(work, note, known)
    if subject.project.id != project.id or project.is_local:
        raise NotHandledError(msg("a comment on a different project"))
    _store(work, from_note(note), known, subject, CommentState.shown, asked_at)


def receive_delete(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Whoever wrote a comment deletes it."""
    _delete(work, received.activity)


def record_deletion(work: UnitOfWork, received: ReceivedActivity) -> None:
    """A deletion of what never came: when it comes late, it is not shown."""
    if received.is_unverified:
        raise NotHandledError(msg("a deletion of something this server does not have"))
    uri, actor = id_of(received.activity.object), _require_author(work, received.activity.actor)
    is_known = uri is not None and comment_subjects.is_known(work.session, uri)
    if uri is None or is_known or not same_origin(uri, actor.uri) or uri == actor.uri:
        raise NotHandledError(msg("a deletion of something that does not belong to the sender"))
    deletions = select(func.count()).select_from(RemoteTombstone).join(Actor)
    of_host = deletions.where(Actor.host == actor.host)
    if (work.session.scalar(of_host) or 0) >= MAX_TOMBSTONES_PER_HOST:
        raise NotHandledError(msg("too many deletions of items this server never received"))
    insert_once(work.session, RemoteTombstone, uri=uri, actor_id=actor.id, at=now())


def receive_undo_announce(work: UnitOfWork, received: ReceivedActivity) -> None:
    """The actor of another council's project takes back that it passed on a comment."""
    undone = received.document or {}
    if type_of(undone) != "Announce" or id_of(undone.get("actor")) != received.activity.actor:
        raise NotHandledError(msg("does not match anything forwarded to this server"))
    about = undone.get("object")
    uri = id_of(about.get("object", about) if isinstance(about, dict) else about)
    comment = work.session.scalar(select(Comment).where(Comment.uri == uri))
    if comment is None or comment.project.is_local:
        raise NotHandledError(msg("does not match anything forwarded to this server"))
    if not same_origin(received.activity.actor, comment.project.uri):
        raise NotHandledError(msg("not withdrawn by the project’s own server"))
    if comment.state is CommentState.shown:
        work.session.delete(comment)
        work.audit("comment.taken-back", comment.uri, author=comment.author.uri)


def _extract_note(passed_on: Mapping[str, Any]) -> Mapping[str, Any]:
    """The note of what was passed on: of a Create or Update, or the note itself."""
    found = passed_on.get("object") if type_of(passed_on) in {"Create", "Update"} else passed_on
    if not isinstance(found, dict) or type_of(found) not in REPLY_TYPES:
        raise NotHandledError(msg("not a comment"))
    return found


def _find_subject(work: UnitOfWork, note: Note, known: Comment | None) -> CommentSubject:
    """What a comment is about: what it answers, else the project whose actor it speaks to. `known`:
    the comment as it is here so far.
    """
    session = work.session
    found = comment_subjects.find(session, known.in_reply_to if known else note.in_reply_to or "")
    if found is None:
        addressed = recipients(list(note.to), list(note.cc))[:MAX_RECIPIENTS]
        found = comment_subjects.find_by_group_actor(session, addressed)
    if found is None:
        raise NotHandledError(msg("a note about something this server does not have"))
    if found.project.visibility is Visibility.public and not is_public(
        list(note.to), list(note.cc)
    ):
        raise NotHandledError(msg("a note that is not public"))
    return found


def _initial_state(work: UnitOfWork, author: Actor, visibility: Visibility) -> CommentState:
    """What servers say that the operator allowed by name is shown; else a moderator decides."""
    by_name = bool(peers.explicitly_allowed_among(work.session, {author.host}))
    if visibility is not Visibility.public and not (by_name and visibility is Visibility.peers):
        raise NotHandledError(msg("a note about something its author cannot see"))
    return CommentState.shown if by_name else CommentState.held


def _store(
    work: UnitOfWork,
    told: RemoteComment,
    comment: Comment | None,
    subject: CommentSubject,
    state: CommentState,
    asked_at: datetime | None = None,
) -> Comment:
    """Keep what is told of a comment, unless something newer is known or there are too many.

    `comment`: as it is here so far.
    `asked_at`: when its author's server was asked for it, and so gave it as it was, whatever was
    said before. None: it was sent to us.
    """
    session, author = work.session, _require_author(work, told.author_uri)
    if author.is_local or author.is_blocked or author.kind == actors.TOMBSTONE:
        raise NotHandledError(msg("from this server, or from a blocked or closed account"))
    _lift_tombstone(session, told.uri, author, asked_at)
    is_new = comment is None
    changed_at = min(told.changed_at or now(), now())
    if comment is None:
        _check_limits(work, author, state, is_backfill=asked_at is not None)
        _quota_of_host(work, author.host).remaining -= 1
        published_at = min(told.published_at or changed_at, now())
        published_at = max(published_at, subject.published_at or published_at)
        comment = Comment(uri=told.uri, project=subject.project, author=author, state=state)
        comment.in_reply_to, comment.published_at = subject.uri, published_at
        session.add(comment)
    elif comment.author_id != author.id:
        raise NotHandledError(msg("a comment by another author"))
    elif comment.state is CommentState.deleted:
        _restore(comment, state, asked_at)
    elif changed_at < comment.changed_at:
        raise NotHandledError(msg("older than the version already here"))
    elif _author_fields(comment) == _author_fields(told):
        raise NotHandledError(msg("already received, with no changes"))
    elif comment.state is CommentState.shown:
        _check_change_rate(work, author)
        if state is CommentState.held:  # what a moderator saw was something else
            service.hold(work, comment)
    comment.url, comment.content, comment.language, comment.warning = _author_fields(told)
    comment.changed_at = changed_at
    session.flush()
    if is_new and asked_at is None and comment.state is CommentState.shown:
        notifications.notify(work, comment)
    return comment


def _author_fields(one: Comment | RemoteComment) -> tuple[str, str, str, str]:
    """What changes when its author changes it."""
    return one.url, one.content, one.language, one.warning


def _lift_tombstone(session: Session, uri: str, author: Actor, asked_at: datetime | None) -> None:
    """What its author deleted stays so, unless their server was asked since, and shows it."""
    deleted_at = _deleted_at(session, uri, author.id)
    if deleted_at is None:
        return
    if asked_at is None or deleted_at >= asked_at:
        raise NotHandledError(msg("a comment that has been deleted"))
    mine = RemoteTombstone.uri == uri, RemoteTombstone.actor_id == author.id
    session.execute(delete(RemoteTombstone).where(*mine))


@change_tracking.cached({"deleted": None})
def _deleted_at(session: Session, uri: str, author_id: int) -> datetime | None:
    deleted = RemoteTombstone.uri == uri, RemoteTombstone.actor_id == author_id
    return session.scalar(select(RemoteTombstone.at).where(*deleted))


def _prefetch_deleted(session: Session, authors: Mapping[str, Actor]) -> None:
    """Ask at once which of these comments, by their authors, were deleted."""
    deleted = select(RemoteTombstone.uri, RemoteTombstone.actor_id, RemoteTombstone.at).where(
        RemoteTombstone.uri.in_(authors)
    )
    found = {(row.uri, row.actor_id): row.at for row in session.execute(deleted)}
    asked = [(uri, author.id) for uri, author in authors.items()]
    _deleted_at.prime(session, {key: found.get(key) for key in asked})


def _restore(comment: Comment, state: CommentState, asked_at: datetime | None) -> None:
    """A comment that was deleted is at its author's server again."""
    if asked_at is None or comment.changed_at >= asked_at:
        raise NotHandledError(msg("a comment that has been deleted"))
    comment.state = state


def _check_limits(
    work: UnitOfWork, author: Actor, state: CommentState, *, is_backfill: bool
) -> None:
    """Raises `NotForUsError` when an actor or its server has written enough, or the moderators have
    enough to read.

    `at_once`: what was written over a long time comes together.
    """
    hour = {"author_id": author.id, "since": now() - timedelta(hours=1)}
    of_author, of_hour = work.session.execute(COMMENT_COUNTS, hour).one()
    limits = [of_author < MAX_PER_ACTOR, is_backfill or of_hour < MAX_PER_HOUR]
    limits.append(_quota_of_host(work, author.host).remaining > 0)
    if state is CommentState.held:
        held = select(func.count(Comment.id)).where(Comment.state == CommentState.held)
        limits.append((work.session.scalar(held) or 0) < MAX_HELD)
    if not all(limits):
        raise NotHandledError(msg("too many comments"))


def _quota_of_host(work: UnitOfWork, host: str) -> Quota:
    """How many more comments there is room for of a host, counted once a second."""
    name = f"comments of {host}"
    found = work.node.quotas.get(name)
    if found is None:
        of_host = select(func.count(Comment.id)).where(actors.on_host(Comment.author_id, host))
        count = work.session.scalar(of_host) or 0
        found = work.node.quotas.put(name, Quota(MAX_PER_HOST - count))
    return found


def _check_change_rate(work: UnitOfWork, author: Actor) -> None:
    """Raises `NotForUsError` when an actor changes what it wrote too often."""
    mine = InboxItem.object_uri.in_(select(Comment.uri).where(Comment.author_id == author.id))
    lately = InboxItem.received_at > now() - timedelta(hours=1)
    kinds = InboxItem.type.in_(("Create", "Update"))
    changes = select(func.count(InboxItem.id)).where(mine, lately, kinds)
    if (work.session.scalar(changes) or 0) > MAX_CHANGES_PER_HOUR:
        raise NotHandledError(msg("too many changes in an hour"))


def _delete(work: UnitOfWork, activity: Activity) -> None:
    uri = id_of(activity.object)
    comment = work.session.scalar(select(Comment).where(Comment.uri == uri))
    if comment is None or comment.author.uri != activity.actor or comment.author.is_local:
        raise NotHandledError(msg("a deletion of something that does not belong to the sender"))
    insert_once(
        work.session, RemoteTombstone, uri=comment.uri, actor_id=comment.author_id, at=now()
    )
    if comment.state is CommentState.deleted:
        return
    was_shown = comment.state is CommentState.shown
    service.erase(comment)
    outbox.narrow_audience(work.session, comment.uri, None)
    if was_shown and comment.project.is_local:
        service.forward(work, comment, dict(activity.raw))


def _require_author(work: UnitOfWork, uri: str) -> Actor:
    actor = actors.by_uri(work.session, uri)
    if actor is None:
        raise NotHandledError(msg("by an account this server does not know"))
    return actor


HANDLERS: Handlers = {
    **{(kind, of): receive_note for kind in ("Create", "Update") for of in REPLY_TYPES},
    ("Announce", ""): receive_announced,
    ("Delete", ""): receive_delete,
    ("Undo", "Announce"): receive_undo_announce,
}
# Asked when nobody else is concerned.
LAST_HANDLERS: Handlers = {("Delete", ""): record_deletion}
