"""Password reset: a request by email address, and a new password with the emailed key.

The response to a request does not depend on whether the account exists, not even in its time: a
job looks up the account later.
"""

import secrets
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from node.database.tables import now
from node.mail import service as mail
from node.passwords import reset_email
from node.passwords.models import PasswordReset
from node.people import service as people
from node.people.events import CredentialsRevoked
from node.people.models import User
from node.principal import Principal
from node.queue.error_isolation import for_each
from node.queue.pruning import MaxAge, Retention
from node.runtime import Node, UnitOfWork

JOB = "new-password"
NEW_PASSWORD_PATH = "/new-password"  # noqa: S105 -- a path
KEY_LIFETIME = timedelta(hours=1)
# Requests waiting for the job; further ones are dropped.
MAX_PENDING = 1_000
RETENTION = (
    Retention(
        "password_resets",
        PasswordReset,
        (MaxAge(PasswordReset.asked_at, lambda _: KEY_LIFETIME),),
    ),
)
# Our keys are shorter.
MAX_LEN_KEY = 100


def request_reset(work: UnitOfWork, email: str) -> None:
    """Queue a reset of the password of the account with this address, if there is one."""
    is_pending = PasswordReset.digest.is_(None), PasswordReset.asked_at > now() - KEY_LIFETIME
    pending = select(func.count()).where(*is_pending)
    if (work.session.scalar(pending) or 0) < MAX_PENDING:
        work.session.add(PasswordReset(email=email))
        work.wake(JOB)


def run_job(node: Node) -> None:
    """Job: email keys to users who have a password."""
    is_unprocessed = PasswordReset.digest.is_(None), PasswordReset.asked_at > now() - KEY_LIFETIME
    query = select(PasswordReset.id).where(*is_unprocessed).order_by(PasswordReset.id)
    with node.reading() as session:
        reset_ids = session.scalars(query).all()
    for_each(node, JOB, reset_ids, lambda reset_id: _process_request(node, reset_id))


def _process_request(node: Node, reset_id: int) -> None:
    is_unprocessed = PasswordReset.id == reset_id, PasswordReset.digest.is_(None)
    with node.work(by=Principal.job(JOB)) as work:
        reset = work.session.scalar(select(PasswordReset).where(*is_unprocessed).with_for_update())
        if reset is None:  # another worker processed it
            return
        user = people.by_email(work.session, reset.email)
        if user is None or not user.active or user.password is None:
            work.session.delete(reset)
        else:
            _send_key(work, reset, user)


def _send_key(work: UnitOfWork, reset: PasswordReset, user: User) -> None:
    key = secrets.token_urlsafe(32)
    reset.user_id, reset.digest = user.id, _digest(key)
    language = user.language or work.settings.language
    url = f"{work.settings.base_url}{NEW_PASSWORD_PATH}?key={key}"
    email = reset_email.render(work.node, user, url, language)
    mail.send(work, user.email, email.subject, email.text, language=language)
    work.audit("user.new-password-link", user.email)


def find_user_by_key(session: Session, key: str) -> User | None:
    """The user whom a valid key belongs to, locked for update; None for an invalid key."""
    if not 0 < len(key) <= MAX_LEN_KEY:
        return None
    is_valid = PasswordReset.digest == _digest(key), PasswordReset.asked_at > now() - KEY_LIFETIME
    query = select(User).join(PasswordReset, PasswordReset.user_id == User.id).where(*is_valid)
    user = session.scalar(query.with_for_update(of=User))
    return user if user is not None and user.active and user.password is not None else None


def on_credentials_revoked(work: UnitOfWork, event: CredentialsRevoked) -> None:
    """Revoke all keys of a user, and drop requests that are not processed yet."""
    user = work.session.get_one(User, event.user_id)
    is_of_user = or_(PasswordReset.user_id == user.id, PasswordReset.email == user.email)
    work.session.execute(delete(PasswordReset).where(is_of_user))


def _digest(key: str) -> str:
    return sha256(key.encode(errors="surrogatepass")).hexdigest()
