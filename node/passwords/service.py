"""Asking for a new password by e-mail, and choosing it with the key that comes.

Whoever asks gets the same answer, as soon, whether there is such an account or not: that is looked
up later.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from node.db import now
from node.error_isolation import for_each
from node.mail import service as mail
from node.passwords.models import PasswordReset
from node.people import service as people
from node.people.models import User
from node.runtime import Node, UnitOfWork

JOB = "new-password"
NEW_PASSWORD_PATH = "/new-password"  # noqa: S105 -- a path
KEY_LIFETIME = timedelta(hours=1)
# So many wait at once to be looked up; more are not heard.
MAX_PENDING = 1_000
# No key that we made is longer.
MAX_LEN_KEY = 100


@dataclass(frozen=True)
class PasswordEmail:
    """An e-mail in words."""

    subject: str
    text: str


# Writes to somebody of an address at which a new password is chosen, in a language.
PasswordEmailRenderer = Callable[[User, str, str], PasswordEmail]


def request_reset(work: UnitOfWork, email: str) -> None:
    """Somebody forgot the password of the account with this address, if there is one."""
    waiting = select(func.count()).where(PasswordReset.digest.is_(None))
    if (work.session.scalar(waiting) or 0) < MAX_PENDING:
        work.session.add(PasswordReset(email=email))
        work.wake(JOB)


def run_job(node: Node, write: PasswordEmailRenderer) -> None:
    """The job: send keys to those who have a password here, and forget what is too old."""
    old = PasswordReset.asked_at < now() - KEY_LIFETIME
    asked = select(PasswordReset.id).where(PasswordReset.digest.is_(None))
    with node.work(by=JOB) as work:
        work.session.execute(delete(PasswordReset).where(old))
        waiting = work.session.scalars(asked.order_by(PasswordReset.id)).all()
    for_each(node, JOB, waiting, lambda reset_id: _process_request(node, reset_id, write))


def _process_request(node: Node, reset_id: int, write: PasswordEmailRenderer) -> None:
    mine = PasswordReset.id == reset_id, PasswordReset.digest.is_(None)
    with node.work(by=JOB) as work:
        reset = work.session.scalar(select(PasswordReset).where(*mine).with_for_update())
        if reset is None:  # another worker was quicker
            return
        user = people.by_email(work.session, reset.email)
        if user is None or not user.active or user.password is None:
            work.session.delete(reset)
        else:
            _send_key(work, reset, user, write)


def _send_key(
    work: UnitOfWork, reset: PasswordReset, user: User, write: PasswordEmailRenderer
) -> None:
    key = secrets.token_urlsafe(32)
    reset.user_id, reset.digest = user.id, _digest(key)
    language = user.language or work.settings.language
    written = write(user, f"{work.settings.base_url}{NEW_PASSWORD_PATH}?key={key}", language)
    mail.send(work, user.email, written.subject, written.text, language=language)
    work.audit("user.new-password-link", user.email)


def find_user_by_key(session: Session, key: str) -> User | None:
    """Whose key this is, if it is still good."""
    if not 0 < len(key) <= MAX_LEN_KEY:
        return None
    mine = PasswordReset.digest == _digest(key), PasswordReset.asked_at > now() - KEY_LIFETIME
    query = select(User).join(PasswordReset, PasswordReset.user_id == User.id).where(*mine)
    user = session.scalar(query.with_for_update(of=User))
    return user if user is not None and user.active and user.password is not None else None


def revoke_keys(work: UnitOfWork, user: User) -> None:
    """No key that was sent to a person is good any more, and none that they asked for is sent."""
    theirs = or_(PasswordReset.user_id == user.id, PasswordReset.email == user.email)
    work.session.execute(delete(PasswordReset).where(theirs))


def _digest(key: str) -> str:
    return sha256(key.encode(errors="surrogatepass")).hexdigest()
