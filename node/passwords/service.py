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
from node.isolation import each
from node.mail import service as mail
from node.passwords.models import PasswordReset
from node.people import service as people
from node.people.models import User
from node.runtime import Node, UnitOfWork

JOB = "new-password"
PATH = "/new-password"
GOOD_FOR = timedelta(hours=1)
# So many wait at once to be looked up; more are not heard.
MOST_WAITING = 1_000
# No key that we made is longer.
LONGEST_KEY = 100


@dataclass(frozen=True)
class Written:
    """An e-mail in words."""

    subject: str
    text: str


# Writes to somebody of an address at which a new password is chosen, in a language.
Writer = Callable[[User, str, str], Written]


def ask(work: UnitOfWork, email: str) -> None:
    """Somebody forgot the password of the account with this address, if there is one."""
    waiting = select(func.count()).where(PasswordReset.digest.is_(None))
    if (work.session.scalar(waiting) or 0) < MOST_WAITING:
        work.session.add(PasswordReset(email=email))
        work.wake(JOB)


def work_off(node: Node, write: Writer) -> None:
    """The job: send keys to those who have a password here, and forget what is too old."""
    old = PasswordReset.asked_at < now() - GOOD_FOR
    asked = select(PasswordReset.id).where(PasswordReset.digest.is_(None))
    with node.work(by=JOB) as work:
        work.session.execute(delete(PasswordReset).where(old))
        waiting = work.session.scalars(asked.order_by(PasswordReset.id)).all()
    each(node, JOB, waiting, lambda reset_id: _answer(node, reset_id, write))


def _answer(node: Node, reset_id: int, write: Writer) -> None:
    mine = PasswordReset.id == reset_id, PasswordReset.digest.is_(None)
    with node.work(by=JOB) as work:
        reset = work.session.scalar(select(PasswordReset).where(*mine).with_for_update())
        if reset is None:  # another worker was quicker
            return
        user = people.by_email(work.session, reset.email)
        if user is None or not user.active or user.password is None:
            work.session.delete(reset)
        else:
            _send(work, reset, user, write)


def _send(work: UnitOfWork, reset: PasswordReset, user: User, write: Writer) -> None:
    key = secrets.token_urlsafe(32)
    reset.user_id, reset.digest = user.id, _digest(key)
    language = user.language or work.settings.language
    written = write(user, f"{work.settings.base_url}{PATH}?key={key}", language)
    mail.send(work, user.email, written.subject, written.text, language=language)
    work.audit("user.new-password-link", user.email)


def find(session: Session, key: str) -> User | None:
    """Whose key this is, if it is still good."""
    if not 0 < len(key) <= LONGEST_KEY:
        return None
    mine = PasswordReset.digest == _digest(key), PasswordReset.asked_at > now() - GOOD_FOR
    query = select(User).join(PasswordReset, PasswordReset.user_id == User.id).where(*mine)
    user = session.scalar(query.with_for_update(of=User))
    return user if user is not None and user.active and user.password is not None else None


def revoke(work: UnitOfWork, user: User) -> None:
    """No key that was sent to a person is good any more, and none that they asked for is sent."""
    theirs = or_(PasswordReset.user_id == user.id, PasswordReset.email == user.email)
    work.session.execute(delete(PasswordReset).where(theirs))


def _digest(key: str) -> str:
    return sha256(key.encode(errors="surrogatepass")).hexdigest()
