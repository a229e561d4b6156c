"""The sessions of people who are signed in: rows, so that the node can end them.

The browser holds a random secret in its signed cookie; the row holds the digest of it.
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session, joinedload

from node.db import now
from node.errors import NotFoundError
from node.hourly_jobs import run_hourly
from node.messages import msg
from node.people.models import User, UserSession
from node.people.user_agents import Device
from node.pruning import prune as prune_rows
from node.runtime import Node, UnitOfWork
from node.settings import Settings

JOB = "sessions"
# When a session was last used is written down no more often.
SEEN_INTERVAL = timedelta(minutes=5)
# A session is kept for so long after its last use: by it a device is recognised.
RETENTION = timedelta(days=180)


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """All that is kept of a secret."""
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()


def begin(work: UnitOfWork, user: User, device_secret: str, device: Device) -> tuple[int, str]:
    """A new session of a person who has just signed in: its row's number, and its secret."""
    secret = new_secret()
    row = UserSession(
        user_id=user.id,
        digest=digest(secret),
        device_digest=digest(device_secret),
        browser=device.browser,
        system=device.system,
    )
    work.session.add(row)
    work.session.flush()
    return row.id, secret


def find(session: Session, settings: Settings, secret: str) -> UserSession | None:
    """The session with this secret, with its user, if it has not ended."""
    query = select(UserSession).join(User).options(joinedload(UserSession.user))
    mine = UserSession.digest == digest(secret), User.active, _is_open(settings)
    return session.scalar(query.where(*mine))


def list_of_user(session: Session, settings: Settings, user: User) -> Sequence[UserSession]:
    """Where a person is signed in, the last used first."""
    query = select(UserSession).where(UserSession.user_id == user.id, _is_open(settings))
    return session.scalars(query.order_by(UserSession.seen_at.desc(), UserSession.id)).all()


def _is_open(settings: Settings) -> ColumnElement[bool]:
    moment = now()
    return and_(
        UserSession.ended_at.is_(None),
        UserSession.seen_at > moment - timedelta(hours=settings.session_idle_hours),
        UserSession.created_at > moment - timedelta(days=settings.session_days),
    )


def end(work: UnitOfWork, user: User, session_id: int) -> UserSession:
    """End one session of a person. Raises `NotFoundError` for none, and for somebody else's."""
    row = work.session.get(UserSession, session_id)
    if row is None or row.user_id != user.id:
        raise NotFoundError(msg("There is no such session."))
    if row.ended_at is None:
        row.ended_at = now()
        work.audit("session.end", user.email, session=row.id)
    return row


def end_all(work: UnitOfWork, user: User, keep: int | None = None) -> None:
    """End every session of a person, but the one with the number `keep`."""
    mine = UserSession.user_id == user.id, UserSession.ended_at.is_(None)
    others = [] if keep is None else [UserSession.id != keep]
    work.session.execute(update(UserSession).where(*mine, *others).values(ended_at=now()))


def end_sessions_of_all_users(work: UnitOfWork) -> None:
    """End every session of this node."""
    is_open = UserSession.ended_at.is_(None)
    work.session.execute(update(UserSession).where(is_open).values(ended_at=now()))


def forget_devices(work: UnitOfWork, user: User, keep: int | None = None) -> None:
    """No device of a person is known any more, but that of the session `keep`."""
    mine = [UserSession.user_id == user.id]
    if keep is not None:
        kept = select(UserSession.device_digest).where(UserSession.id == keep).scalar_subquery()
        mine.append(UserSession.device_digest != kept)
    work.session.execute(update(UserSession).where(*mine).values(device_digest=""))


def renew(work: UnitOfWork, session_id: int) -> str:
    """A new secret for a session; the one before is no good any more."""
    secret = new_secret()
    row = work.session.get_one(UserSession, session_id)
    row.digest = digest(secret)
    return secret


def is_known_device(session: Session, email: str, device_secret: str) -> bool:
    """Whether the person with this email address has signed in on this device before."""
    if not device_secret:
        return False
    mine = User.email == email, UserSession.device_digest == digest(device_secret)
    return session.scalar(select(UserSession.id).join(User).where(*mine).limit(1)) is not None


def has_signed_in(session: Session, user: User) -> bool:
    """Whether a person ever signed in, as far as that is kept."""
    mine = UserSession.user_id == user.id
    return session.scalar(select(UserSession.id).where(mine).limit(1)) is not None


def should_record_use(row: UserSession) -> bool:
    return row.seen_at < now() - SEEN_INTERVAL


def record_use(node: Node, session_id: int) -> None:
    """Write down that a session was used now, in a transaction of its own."""
    used = UserSession.id == session_id, UserSession.seen_at < now() - SEEN_INTERVAL
    with node.work(by=JOB) as work:
        work.session.execute(update(UserSession).where(*used).values(seen_at=now()))


def run_job(node: Node) -> None:
    """The job, which tidies up once an hour."""
    run_hourly(node, JOB, lambda: prune_sessions(node))


def prune_sessions(node: Node) -> None:
    """Delete the sessions that were last used long ago."""
    old = select(UserSession.id).where(UserSession.seen_at < now() - RETENTION)
    prune_rows(node, JOB, UserSession, old)
