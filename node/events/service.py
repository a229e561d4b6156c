"""Noting what happened, in the transaction in which it does; and who follows what."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from node.db import insert_once, now
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.events.kinds import NotificationKind
from node.events.models import NotificationEvent, Watch
from node.messages import msg
from node.runtime import UnitOfWork
from node.text import one_line

# What is said to have happened longer ago is no news: another council's past is read as a whole.
MAX_AGE = timedelta(days=14)
# So much may one person follow.
MAX_WATCHED = 500
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
    """Something happened. Whom it concerns is told after the commit, but for whoever did it.

    `to` are the ids of people here, `roles` names roles all of whose people are told; followers
    and the owner of the project are told as `kind` says. `details` go into its sentence. `path` is
    an address of this node, such as `/projects/abc/hand-over`; by default it is the page of the
    update or the project. A person is never told of a project that they may not see.
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
    """The same for much at once: each row has at least `project_id` and `at`."""
    empty: dict[str, Any] = {"subject_uri": None, "to": [], "roles": [], "path": "", "details": {}}
    fixed = {"kind": kind.name, "by": work.by, "state": NotificationEvent.WAITING}
    news = [empty | row | fixed for row in rows if is_recent(row["at"])]
    if news:
        work.session.connection().execute(INSERT_EVENTS, news)
        work.wake(NotificationEvent.JOB)


def is_recent(at: datetime) -> bool:
    """Whether what happened then is still told."""
    return at > now() - MAX_AGE


def delete_events(work: UnitOfWork, subject_uri: str) -> None:
    """What was told of an update or a comment is told no more: it is gone for good."""
    work.session.execute(
        delete(NotificationEvent).where(NotificationEvent.subject_uri == subject_uri)
    )


def follow_project(work: UnitOfWork, user_id: int, project_id: int) -> None:
    _follow(work, user_id, project_id=project_id)


def follow_council(work: UnitOfWork, user_id: int, council_id: int) -> None:
    _follow(work, user_id, council_id=council_id)


def follow_tag(work: UnitOfWork, user_id: int, tag: str) -> str:
    """Follow all projects with a tag, which is returned as it is compared."""
    plain = normalise_tag(tag)
    if not plain or len(tag) > MAX_LEN_TAG:
        raise InvalidInputError(
            msg("You cannot follow this tag."),
            {"tag": msg("Enter a tag of %(most)s characters or fewer", most=MAX_LEN_TAG)},
        )
    _follow(work, user_id, tag=plain)
    return plain


def normalise_tag(tag: str) -> str:
    """A tag as it is compared: in lower case, without what people write before one."""
    return one_line(tag, MAX_LEN_TAG).lstrip("#").strip().casefold()


def unfollow(work: UnitOfWork, user_id: int, watch_id: int) -> None:
    """Raises `NotFoundError` for what this person does not follow."""
    mine = Watch.id == watch_id, Watch.user_id == user_id
    if work.session.scalar(delete(Watch).where(*mine).returning(Watch.id)) is None:
        raise NotFoundError(msg("You do not follow this."))


def list_watches(session: Session, user_id: int) -> Sequence[Watch]:
    """All that somebody follows, the latest first."""
    mine = select(Watch).where(Watch.user_id == user_id)
    return session.scalars(mine.order_by(Watch.id.desc())).all()


def find_watch(
    session: Session, user_id: int, *, project_id: int | None = None, council_id: int | None = None
) -> Watch | None:
    """That somebody follows this project, or this council."""
    subject = Watch.project_id == project_id if project_id else Watch.council_id == council_id
    return session.scalar(select(Watch).where(Watch.user_id == user_id, subject))


def merge_projects(session: Session, old_id: int, new_id: int) -> None:
    """Whoever follows a project that became another follows that from now on."""
    _move_watches(session, "project_id", old_id, new_id)


def merge_councils(session: Session, old_id: int, new_id: int) -> None:
    """Whoever follows a council that became another follows that from now on."""
    _move_watches(session, "council_id", old_id, new_id)


def _move_watches(session: Session, column: str, old_id: int, new_id: int) -> None:
    subject = Watch.__table__.c[column]
    both = select(Watch.user_id).where(subject == new_id)
    old = update(Watch).where(subject == old_id, Watch.user_id.not_in(both))
    session.execute(old.values({column: new_id}), execution_options={"synchronize_session": False})
    session.execute(delete(Watch).where(subject == old_id))
    session.expire_all()


def _follow(work: UnitOfWork, user_id: int, **subject: object) -> None:
    count = select(func.count()).select_from(Watch).where(Watch.user_id == user_id)
    if (work.session.scalar(count) or 0) >= MAX_WATCHED:
        raise ConflictError(
            msg(
                "You can follow at most %(most)s projects, councils and tags. Stop "
                "following one first.",
                most=MAX_WATCHED,
            )
        )
    insert_once(work.session, Watch, user_id=user_id, since=now(), **subject)
