"""Records events in the transaction in which they occur, and manages what users follow."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from node.database.tables import insert_once, now
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.messages import msg
from node.notification_events.models import NotificationEvent, Watch
from node.notification_kinds import NotificationKind
from node.runtime import UnitOfWork
from node.text import one_line

# Older events are not recorded: backfill reads a council's whole history.
MAX_EVENT_AGE = timedelta(days=14)
# Projects, councils and tags that one user may follow.
MAX_WATCHES = 500
MAX_LEN_TAG = 100
INSERT_EVENTS = insert(NotificationEvent)


def record_event(
    work: UnitOfWork,
    kind: NotificationKind,
    *,
    project_id: int | None = None,
    subject_uri: str | None = None,
    to: Iterable[int] = (),
    roles: Iterable[str] = (),
    path: str = "",
    at: datetime | None = None,
    **details: str,
) -> None:
    """Record an event. The users whom it concerns are notified after the commit, except its author.

    `to` holds user ids, `roles` roles whose users are all notified; `kind` decides about followers
    and the project's owner. `details` fill in the sentence. `path` is a path on this node, such as
    `/projects/abc/hand-over`; by default the page of the update or the project. Users are not
    notified about projects that they may not see.
    """
    record_events(
        work,
        kind,
        [
            {
                "project_id": project_id,
                "subject_uri": subject_uri,
                "to": list(to),
                "roles": list(roles),
                "path": path,
                "details": details,
                "at": at or now(),
            }
        ],
    )


def record_events(work: UnitOfWork, kind: NotificationKind, rows: Sequence[dict[str, Any]]) -> None:
    """Record many events of one kind. Each row has the arguments of `record_event` as keys, at
    least `project_id` and `at`.
    """
    defaults: dict[str, Any] = {
        "subject_uri": None,
        "to": [],
        "roles": [],
        "path": "",
        "details": {},
    }
    fixed = {
        "kind": kind.name,
        "by_user_id": work.by.user_id,
        "state": NotificationEvent.WAITING_STATE,
    }
    recent_rows = [defaults | row | fixed for row in rows if is_recent(row["at"])]
    if recent_rows:
        work.session.connection().execute(INSERT_EVENTS, recent_rows)
        work.wake(NotificationEvent.JOB)


def is_recent(at: datetime) -> bool:
    """Whether users are still notified of an event at this time."""
    return at > now() - MAX_EVENT_AGE


def delete_events(work: UnitOfWork, subject_uri: str) -> None:
    """Delete all events about an update or a comment that was deleted, with their notifications."""
    work.session.execute(
        delete(NotificationEvent).where(NotificationEvent.subject_uri == subject_uri)
    )


def follow_project(work: UnitOfWork, user_id: int, project_id: int) -> None:
    _follow(work, user_id, project_id=project_id)


def follow_council(work: UnitOfWork, user_id: int, council_id: int) -> None:
    _follow(work, user_id, council_id=council_id)


def follow_tag(work: UnitOfWork, user_id: int, tag: str) -> str:
    """Follow all projects with a tag. Returns the normalised tag.

    Raises `InvalidInputError` for an empty or too long tag.
    """
    normalised = normalise_tag(tag)
    if not normalised or len(tag) > MAX_LEN_TAG:
        raise InvalidInputError(
            msg("You cannot follow this tag."),
            {"tag": msg("Enter a tag of %(most)s characters or fewer", most=MAX_LEN_TAG)},
        )
    _follow(work, user_id, tag=normalised)
    return normalised


def normalise_tag(tag: str) -> str:
    """A tag in the form used for comparison: in lower case and without a leading `#`."""
    return one_line(tag, MAX_LEN_TAG).lstrip("#").strip().casefold()


def unfollow(work: UnitOfWork, user_id: int, watch_id: int) -> None:
    """Raises `NotFoundError` if the user has no such watch."""
    is_own_watch = Watch.id == watch_id, Watch.user_id == user_id
    if work.session.scalar(delete(Watch).where(*is_own_watch).returning(Watch.id)) is None:
        raise NotFoundError(msg("You are not following this."))


def list_watches(session: Session, user_id: int) -> Sequence[Watch]:
    """All watches of a user, the latest first."""
    query = select(Watch).where(Watch.user_id == user_id)
    return session.scalars(query.order_by(Watch.id.desc())).all()


def find_watch(
    session: Session, user_id: int, *, project_id: int | None = None, council_id: int | None = None
) -> Watch | None:
    """The user's watch of this project, or of this council."""
    is_subject = Watch.project_id == project_id if project_id else Watch.council_id == council_id
    return session.scalar(select(Watch).where(Watch.user_id == user_id, is_subject))


def move_project_watches(session: Session, old_id: int, new_id: int) -> None:
    """Move the follows of a project to the one that it was merged into."""
    _move_watches(session, "project_id", old_id, new_id)


def move_council_watches(session: Session, old_id: int, new_id: int) -> None:
    """Move the follows of a council to the one that it was merged into."""
    _move_watches(session, "council_id", old_id, new_id)


def _move_watches(session: Session, column_name: str, old_id: int, new_id: int) -> None:
    column = Watch.__table__.c[column_name]
    already_following = select(Watch.user_id).where(column == new_id)
    movable = update(Watch).where(column == old_id, Watch.user_id.not_in(already_following))
    session.execute(
        movable.values({column_name: new_id}), execution_options={"synchronize_session": False}
    )
    session.execute(delete(Watch).where(column == old_id))
    session.expire_all()


def _follow(work: UnitOfWork, user_id: int, **subject: object) -> None:
    count = select(func.count()).select_from(Watch).where(Watch.user_id == user_id)
    if (work.session.scalar(count) or 0) >= MAX_WATCHES:
        raise ConflictError(
            msg(
                "You are already following %(most)s projects, councils and tags, which "
                "is the maximum. Stop following one before you follow another.",
                most=MAX_WATCHES,
            )
        )
    insert_once(work.session, Watch, user_id=user_id, since=now(), **subject)
