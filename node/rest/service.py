"""Creates, finds and revokes API tokens."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from node.database.tables import now
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.messages import Message, msg
from node.people import credentials
from node.people.credentials import AccountChange
from node.people.events import CredentialsRevoked
from node.people.models import User
from node.principal import Principal
from node.rest.models import ApiToken, TokenScope
from node.runtime import Node, UnitOfWork
from node.text import find_text_error, trim

# Lets secret scanners recognise a token that was published by mistake.
TOKEN_PREFIX = "moothall_"  # noqa: S105 -- a prefix
LIFETIMES_DAYS = (30, 90, 365)
# Valid tokens per person.
MAX_PER_PERSON = 20
MAX_LEN_NAME = 100
# The time of last use is recorded at most this often.
USE_INTERVAL = timedelta(minutes=10)


def create_token(
    work: UnitOfWork, user: User, name: str, scopes: Sequence[str], days: int
) -> tuple[ApiToken, str]:
    """Create a token. Returns its row, and its secret to show once.

    Raises `InvalidInputError`, and `ConflictError` for too many tokens or a closed account.
    """
    name = trim(name)
    errors: dict[str, Message] = {}
    if not name:
        errors["name"] = msg("Enter what the token is for")
    elif error := find_text_error(name, MAX_LEN_NAME):
        errors["name"] = error
    if not scopes or not set(scopes) <= set(TokenScope):
        errors["scopes"] = msg("Select what the token can do")
    if days not in LIFETIMES_DAYS:
        errors["days"] = msg("Select when the token expires")
    if errors:
        raise InvalidInputError(msg("The token could not be created."), errors)
    if sum(row.is_valid for row in list_of_user(work.session, user)) >= MAX_PER_PERSON:
        raise ConflictError(
            msg(
                "You already have %(most)s tokens. Revoke one before you create another.",
                most=MAX_PER_PERSON,
            )
        )
    if not user.active:
        raise ConflictError(msg("This account has been closed."))
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        user=user,
        name=name,
        digest=_digest(secret),
        beginning=secret[len(TOKEN_PREFIX) :][:6],
        scopes=sorted({TokenScope(scope).value for scope in scopes}),
        expires_at=now() + timedelta(days=days),
    )
    work.session.add(token)
    work.session.flush()
    credentials.notify_user(work, user, AccountChange.token, name=name)
    work.audit("token.make", token.beginning, name=name, scopes=token.scopes)
    return token, secret


def list_of_user(session: Session, user: User) -> list[ApiToken]:
    """The tokens of a person, newest first."""
    query = select(ApiToken).where(ApiToken.user_id == user.id).order_by(ApiToken.id.desc())
    return list(session.scalars(query.limit(200)))


def revoke(work: UnitOfWork, user: User, token_id: int) -> ApiToken:
    """Revoke a token of `user`. Raises `NotFoundError`, also for another person's token."""
    token = work.session.get(ApiToken, token_id)
    if token is None or token.user_id != user.id:
        raise NotFoundError(msg("Token not found."))
    if token.revoked_at is None:
        token.revoked_at = now()
        work.audit("token.revoke", token.beginning, name=token.name)
    return token


def on_credentials_revoked(work: UnitOfWork, event: CredentialsRevoked) -> None:
    """Revoke all tokens of a user."""
    is_active = ApiToken.user_id == event.user_id, ApiToken.revoked_at.is_(None)
    work.session.execute(update(ApiToken).where(*is_active).values(revoked_at=now()))


def find_valid(session: Session, secret: str) -> ApiToken | None:
    """The valid token with this secret, or None."""
    if not secret.startswith(TOKEN_PREFIX) or len(secret) > 100:
        return None
    token = session.scalar(select(ApiToken).where(ApiToken.digest == _digest(secret)))
    return token if token is not None and token.is_valid else None


def should_record_use(token: ApiToken) -> bool:
    return token.used_at is None or token.used_at < now() - USE_INTERVAL


def record_use(node: Node, token_id: int) -> None:
    """Record when a token was last used, in a transaction of its own."""
    with node.work(by=Principal.job("api")) as work:
        token = work.session.get(ApiToken, token_id)
        if token is not None:
            token.used_at = now()


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
