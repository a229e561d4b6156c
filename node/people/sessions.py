"""Server-side sessions of signed-in users, stored so that the node can end them.

The browser holds a random secret in its signed cookie; the row holds the secret's digest.
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session, joinedload

from node.database.tables import now
from node.errors import NotFoundError
from node.messages import msg
from node.people.models import User, UserSession
from node.people.user_agents import Device
from node.principal import Principal
from node.queue.pruning import MaxAge, Retention
from node.runtime import Node, UnitOfWork
from node.settings import Settings

# The last use of a session is recorded at most this often.
USE_RECORD_INTERVAL = timedelta(minutes=5)
# After its last use; ended sessions are kept to recognise their device.
MAX_AGE = timedelta(days=180)
RETENTION = (Retention("sessions", UserSession, (MaxAge(UserSession.seen_at, lambda _: MAX_AGE),)),)


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """SHA-256 of a secret, which is all that is stored of it."""
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()


def begin_session(
    work: UnitOfWork, user: User, device_secret: str, device: Device
) -> tuple[int, str]:
    """Begin a session for a user who has just signed in. Returns its id and its secret."""
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
    """The open session with this secret, with its user."""
    query = select(UserSession).join(User).options(joinedload(UserSession.user))
    is_match = UserSession.digest == digest(secret), User.active, _is_open(settings)
    return session.scalar(query.where(*is_match))


def list_of_user(session: Session, settings: Settings, user: User) -> Sequence[UserSession]:
    """A user's open sessions, the last used first."""
    query = select(UserSession).where(UserSession.user_id == user.id, _is_open(settings))
    return session.scalars(query.order_by(UserSession.seen_at.desc(), UserSession.id)).all()


def _is_open(settings: Settings) -> ColumnElement[bool]:
    current = now()
    return and_(
        UserSession.ended_at.is_(None),
        UserSession.seen_at > current - timedelta(hours=settings.session_idle_hours),
        UserSession.created_at > current - timedelta(days=settings.session_days),
    )


def end(work: UnitOfWork, user: User, session_id: int) -> UserSession:
    """End one session of a user. Raises `NotFoundError` if it is not the user's."""
    row = work.session.get(UserSession, session_id)
    if row is None or row.user_id != user.id:
        raise NotFoundError(msg("Session not found."))
    if row.ended_at is None:
        row.ended_at = now()
        work.audit("session.end", user.email, session=row.id)
    return row


def end_all(work: UnitOfWork, user: User, keep: int | None = None) -> None:
    """End every session of a user, except the one with the id `keep`."""
    conditions = [UserSession.user_id == user.id, UserSession.ended_at.is_(None)]
    if keep is not None:
        conditions.append(UserSession.id != keep)
    work.session.execute(update(UserSession).where(*conditions).values(ended_at=now()))


def end_sessions_of_all_users(work: UnitOfWork) -> None:
    """End every session of this node."""
    is_open = UserSession.ended_at.is_(None)
    work.session.execute(update(UserSession).where(is_open).values(ended_at=now()))


def forget_devices(work: UnitOfWork, user: User, keep: int | None = None) -> None:
    """Make all devices of a user unknown, except that of the session `keep`."""
    conditions = [UserSession.user_id == user.id]
    if keep is not None:
        kept_digest = (
            select(UserSession.device_digest).where(UserSession.id == keep).scalar_subquery()
        )
        conditions.append(UserSession.device_digest != kept_digest)
    work.session.execute(update(UserSession).where(*conditions).values(device_digest=""))


def renew(work: UnitOfWork, session_id: int) -> str:
    """Replace the secret of a session. Returns the new one."""
    secret = new_secret()
    row = work.session.get_one(UserSession, session_id)
    row.digest = digest(secret)
    return secret


def is_known_device(session: Session, email: str, device_secret: str) -> bool:
    """Whether the user with this email address has signed in on this device before."""
    if not device_secret:
        return False
    is_match = User.email == email, UserSession.device_digest == digest(device_secret)
    return session.scalar(select(UserSession.id).join(User).where(*is_match).limit(1)) is not None


def has_signed_in(session: Session, user: User) -> bool:
    """Whether a user has signed in within `MAX_AGE`."""
    query = select(UserSession.id).where(UserSession.user_id == user.id)
    return session.scalar(query.limit(1)) is not None


def should_record_use(row: UserSession) -> bool:
    return row.seen_at < now() - USE_RECORD_INTERVAL


def record_use(node: Node, session_id: int) -> None:
    """Record that a session is used now, in a transaction of its own."""
    is_due = UserSession.id == session_id, UserSession.seen_at < now() - USE_RECORD_INTERVAL
    with node.work(by=Principal.job("sessions")) as work:
        work.session.execute(update(UserSession).where(*is_due).values(seen_at=now()))
