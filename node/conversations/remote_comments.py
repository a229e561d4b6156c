"""Receives comments from other servers.

Comments on local projects are accepted from their authors, comments on remote projects only when
the project's server forwards them. Every handler is an upsert by id, so repeated and reordered
messages are harmless.
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
from federation.vocabulary.activity_types import ANNOUNCE, DELETE, VERSION_TYPES
from node.access.visibility import Visibility, is_for, resource_of
from node.conversations import comment_subjects, notifications, service
from node.conversations.comment_subjects import CommentSubject
from node.conversations.federate import RemoteComment, from_note
from node.conversations.models import Comment, CommentState
from node.database import change_tracking
from node.database.tables import insert_once, now
from node.federating.identity import actors
from node.federating.models import Actor, InboxItem, RemoteTombstone
from node.federating.outbound import outbox
from node.federating.peers import service as peers
from node.messages import msg
from node.projects.models import Project
from node.runtime import NotHandledError, Quota, ReceivedActivity, UnitOfWork

# Stored comments per actor and per server, and new ones per actor and hour.
MAX_PER_ACTOR = 500
MAX_PER_HOST = 5_000
MAX_PER_HOUR = 30
# Comments that wait for a moderator, over all authors.
MAX_HELD = 5_000
# New and changed comments per actor and hour: each of them is forwarded to all followers.
MAX_CHANGES_PER_HOUR = 60
# Recipients of a note that are searched for the actor of a project.
MAX_RECIPIENTS = 100

# The number of comments of an actor: all, and those received since a time.
SELECT_COMMENT_COUNTS = select(
    func.count(Comment.id),
    func.count(Comment.id).filter(Comment.received_at > bindparam("since")),
).where(Comment.author_id == bindparam("author_id"))


def prefetch(work: UnitOfWork, batch: Sequence[ReceivedActivity]) -> None:
    """Cache the results of queries that a batch of messages needs, with one query of each kind."""
    session = work.session
    senders = [actors.by_uri(session, received.activity.actor) for received in batch]
    peers.prefetch_states(session, {sender.host for sender in senders if sender})
    subject_uris, announced_uris, authors = set[str](), set[str](), dict[str, Actor]()
    for received, author in zip(batch, senders, strict=True):
        note = received.document or {}
        if author is None or type_of(note) not in REPLY_TYPES:
            subject_uris.add(received.activity.object_id or "")
            continue
        authors[id_of(note) or ""] = author
        subject_uris.add(subject_uri := id_of(note.get("inReplyTo")) or "")
        if peers.explicitly_allowed_among(session, {author.host}):  # shown at once, and announced
            announced_uris.add(subject_uri)
    projects = comment_subjects.prefetch(session, subject_uris)
    announcers = [
        project.actor for project in projects if project.is_local and project.uri in announced_uris
    ]
    outbox.prefetch_follower_inboxes(session, [actor for actor in announcers if actor])
    _prefetch_deletion_times(session, authors)


def receive_note(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle the Create or Update of a comment on a local project, sent by its author."""
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
    """Handle the Announce of a comment, or of its deletion, by the actor of a remote project.

    `received.document` is the announced activity or note, proven or fetched from its author's
    server.
    """
    announced = received.document
    if announced is None:
        raise NotHandledError(msg("an announcement with an ID but no content"))
    if type_of(announced) == DELETE:
        _delete(work, Activity.parse(announced))
        return
    note = Note.parse(_extract_note(announced), REPLY_TYPES)
    known = service.by_uri(work.session, note.id)
    subject = _find_subject(work, note, known)
    author = id_of(announced.get("actor")) or note.attributed_to
    if author != note.attributed_to or not same_origin(note.id, author):
        raise NotHandledError(msg("a comment by another author"))
    if subject.project.is_local or not same_origin(received.activity.actor, subject.project.uri):
        raise NotHandledError(msg("not forwarded by the project’s own server"))
    _store(work, from_note(note), known, subject, CommentState.shown)


def upsert_fetched(work: UnitOfWork, project: Project, note: Note, requested_at: datetime) -> None:
    """Store a comment on a remote project that was fetched from its author's server.

    `requested_at` is when the fetch started: a deletion before that time is superseded. Raises
    `NotHandledError` for a comment on another project, and as `_store` does.
    """
    known = service.by_uri(work.session, note.id)
    subject = _find_subject(work, note, known)
    if subject.project.id != project.id or project.is_local:
        raise NotHandledError(msg("a comment on a different project"))
    _store(work, from_note(note), known, subject, CommentState.shown, requested_at)


def receive_delete(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle the Delete of a comment by its author."""
    _delete(work, received.activity)


def receive_undo_announce(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle the Undo of a forwarded comment by the actor of a remote project."""
    undone = received.document or {}
    if type_of(undone) != ANNOUNCE or id_of(undone.get("actor")) != received.activity.actor:
        raise NotHandledError(msg("does not match anything forwarded to this server"))
    announced = undone.get("object")
    uri = id_of(announced.get("object", announced) if isinstance(announced, dict) else announced)
    comment = work.session.scalar(select(Comment).where(Comment.uri == uri))
    if comment is None or comment.project.is_local:
        raise NotHandledError(msg("does not match anything forwarded to this server"))
    if not same_origin(received.activity.actor, comment.project.uri):
        raise NotHandledError(msg("not withdrawn by the project’s own server"))
    if comment.state is CommentState.shown:
        work.session.delete(comment)
        work.audit("comment.taken-back", comment.uri, author=comment.author.uri)


def _extract_note(announced: Mapping[str, Any]) -> Mapping[str, Any]:
    """The announced note: the object of a Create or Update, or the document itself."""
    note = announced.get("object") if type_of(announced) in VERSION_TYPES else announced
    if not isinstance(note, dict) or type_of(note) not in REPLY_TYPES:
        raise NotHandledError(msg("not a comment"))
    return note


def _find_subject(work: UnitOfWork, note: Note, known: Comment | None) -> CommentSubject:
    """The object that a note replies to, else the project whose actor it addresses.

    `known` is the stored comment, if any. Raises `NotHandledError` if there is no such object, or
    for a note on a public project that is not public.
    """
    session = work.session
    parent_uri = known.in_reply_to if known else note.in_reply_to or ""
    subject = comment_subjects.find(session, parent_uri)
    if subject is None:
        addressed = recipients(list(note.to), list(note.cc))[:MAX_RECIPIENTS]
        subject = comment_subjects.find_by_group_actor(session, addressed)
    if subject is None:
        raise NotHandledError(msg("a note about something this server does not have"))
    if subject.project.visibility is Visibility.public and not is_public(
        list(note.to), list(note.cc)
    ):
        raise NotHandledError(msg("a note that is not public"))
    return subject


def _initial_state(work: UnitOfWork, author: Actor, visibility: Visibility) -> CommentState:
    """`shown` for authors on servers that the operator allowed by name, else `held`.

    Raises `NotHandledError` if the author cannot see a project with this visibility.
    """
    sender = peers.identify_server(work.session, author.host)
    if not is_for(sender.audience, resource_of(visibility)):
        raise NotHandledError(msg("a note about something its author cannot see"))
    return CommentState.shown if sender.host else CommentState.held


def _store(
    work: UnitOfWork,
    remote: RemoteComment,
    comment: Comment | None,
    subject: CommentSubject,
    state: CommentState,
    requested_at: datetime | None = None,
) -> Comment:
    """Create or update a comment.

    `comment` is the stored row, if any. `requested_at` is when the comment was requested from its
    author's server, or None if it was sent to us; a fetched comment overrides earlier deletions.
    Raises `NotHandledError` for an outdated or unchanged version, and beyond the limits.
    """
    session, author = work.session, _require_author(work, remote.author_uri)
    if author.is_local or author.is_blocked or author.kind == actors.TOMBSTONE:
        raise NotHandledError(msg("from this server, or from a blocked or closed account"))
    _remove_tombstone(session, remote.uri, author, requested_at)
    is_new = comment is None
    changed_at = min(remote.changed_at or now(), now())
    if comment is None:
        _check_limits(work, author, state, is_backfill=requested_at is not None)
        _load_host_quota(work, author.host).remaining -= 1
        published_at = min(remote.published_at or changed_at, now())
        published_at = max(published_at, subject.published_at or published_at)
        comment = Comment(uri=remote.uri, project=subject.project, author=author, state=state)
        comment.in_reply_to, comment.published_at = subject.uri, published_at
        session.add(comment)
    elif comment.author_id != author.id:
        raise NotHandledError(msg("a comment by another author"))
    elif comment.state is CommentState.deleted:
        _restore(comment, state, requested_at)
    elif changed_at < comment.changed_at:
        raise NotHandledError(msg("older than the version already here"))
    elif _author_fields(comment) == _author_fields(remote):
        raise NotHandledError(msg("already received, with no changes"))
    elif comment.state is CommentState.shown:
        _check_change_rate(work, author)
        if state is CommentState.held:  # a moderator approved another text
            service.hold(work, comment)
    comment.url, comment.content, comment.language, comment.warning = _author_fields(remote)
    comment.changed_at = changed_at
    session.flush()
    if is_new and requested_at is None and comment.state is CommentState.shown:
        notifications.notify(work, comment)
    return comment


def _author_fields(comment: Comment | RemoteComment) -> tuple[str, str, str, str]:
    """The fields that the author of a comment can change."""
    return comment.url, comment.content, comment.language, comment.warning


def _remove_tombstone(
    session: Session, uri: str, author: Actor, requested_at: datetime | None
) -> None:
    """Remove the record that a comment was deleted, if it was fetched after the deletion.

    Raises `NotHandledError` otherwise.
    """
    deleted_at = _find_deletion_time(session, uri, author.id)
    if deleted_at is None:
        return
    if requested_at is None or deleted_at >= requested_at:
        raise NotHandledError(msg("a comment that has been deleted"))
    is_tombstone = RemoteTombstone.uri == uri, RemoteTombstone.actor_id == author.id
    session.execute(delete(RemoteTombstone).where(*is_tombstone))


@change_tracking.cached({"deleted": None})
def _find_deletion_time(session: Session, uri: str, author_id: int) -> datetime | None:
    is_tombstone = RemoteTombstone.uri == uri, RemoteTombstone.actor_id == author_id
    return session.scalar(select(RemoteTombstone.at).where(*is_tombstone))


def _prefetch_deletion_times(session: Session, authors: Mapping[str, Actor]) -> None:
    """Load the deletion times of comments into the cache. `authors`: comment id to author."""
    tombstones = select(RemoteTombstone.uri, RemoteTombstone.actor_id, RemoteTombstone.at).where(
        RemoteTombstone.uri.in_(authors)
    )
    deleted_at = {(row.uri, row.actor_id): row.at for row in session.execute(tombstones)}
    keys = [(uri, author.id) for uri, author in authors.items()]
    _find_deletion_time.prime(session, {key: deleted_at.get(key) for key in keys})


def _restore(comment: Comment, state: CommentState, requested_at: datetime | None) -> None:
    """Restore a deleted comment that its author's server has published again.

    Raises `NotHandledError` unless it was requested after the deletion.
    """
    if requested_at is None or comment.changed_at >= requested_at:
        raise NotHandledError(msg("a comment that has been deleted"))
    comment.state = state


def _check_limits(
    work: UnitOfWork, author: Actor, state: CommentState, *, is_backfill: bool
) -> None:
    """Raises `NotHandledError` if the author, its server or the moderation queue is at its limit.

    `is_backfill`: skip the hourly limit, since comments of a long time are fetched together.
    """
    parameters = {"author_id": author.id, "since": now() - timedelta(hours=1)}
    total, last_hour = work.session.execute(SELECT_COMMENT_COUNTS, parameters).one()
    within_limits = [total < MAX_PER_ACTOR, is_backfill or last_hour < MAX_PER_HOUR]
    within_limits.append(_load_host_quota(work, author.host).remaining > 0)
    if state is CommentState.held:
        held = select(func.count(Comment.id)).where(Comment.state == CommentState.held)
        within_limits.append((work.session.scalar(held) or 0) < MAX_HELD)
    if not all(within_limits):
        raise NotHandledError(msg("too many comments"))


def _load_host_quota(work: UnitOfWork, host: str) -> Quota:
    """How many more comments a host may have; the count is cached in `node.host_quotas`."""
    name = f"comments of {host}"
    quota = work.node.host_quotas.get(name)
    if quota is None:
        query = select(func.count(Comment.id)).where(actors.is_on_host(Comment.author_id, host))
        count = work.session.scalar(query) or 0
        quota = work.node.host_quotas.put(name, Quota(MAX_PER_HOST - count))
    return quota


def _check_change_rate(work: UnitOfWork, author: Actor) -> None:
    """Raises `NotHandledError` if an author exceeds `MAX_CHANGES_PER_HOUR`."""
    is_own = InboxItem.object_uri.in_(select(Comment.uri).where(Comment.author_id == author.id))
    is_recent = InboxItem.received_at > now() - timedelta(hours=1)
    is_change = InboxItem.type.in_(VERSION_TYPES)
    changes = select(func.count(InboxItem.id)).where(is_own, is_recent, is_change)
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
