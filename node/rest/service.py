"""Making, finding and revoking tokens."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from node.db import now
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.messages import Message, msg
from node.people import credentials
from node.people.credentials import AccountChange
from node.people.models import User
from node.rest.models import ApiToken, TokenScope
from node.runtime import Node, UnitOfWork
from node.text import misfit, trim

# Recognised by those who look for secrets in what is published.
TOKEN_PREFIX = "moothall_"  # noqa: S105 -- a prefix
LIFETIMES_DAYS = (30, 90, 365)
# So many may one person have that are good.
MAX_PER_PERSON = 20
MAX_LEN_NAME = 100
# When a token was last used is noted no more often.
USE_INTERVAL = timedelta(minutes=10)


def create_token(
    work: UnitOfWork, user: User, name: str, scopes: Sequence[str], days: int
) -> tuple[ApiToken, str]:
    """A new token, and what is shown of it this once. Raises `InvalidInputError`."""
    name = trim(name)
    wrong: dict[str, Message] = {}
    if not name:
        wrong["name"] = msg("Enter what the token is for")
    elif why := misfit(name, MAX_LEN_NAME):
        wrong["name"] = why
    if not scopes or not set(scopes) <= set(TokenScope):
        wrong["scopes"] = msg("Select what the token can do")
    if days not in LIFETIMES_DAYS:
        wrong["days"] = msg("Select when the token expires")
    if wrong:
        raise InvalidInputError(msg("The token could not be created."), wrong)
    if sum(each.is_valid for each in list_of_user(work.session, user)) >= MAX_PER_PERSON:
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
        scopes=sorted({TokenScope(each).value for each in scopes}),
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
    """Whoever made a token ends it. Raises `NotFoundError` for anybody else's."""
    token = work.session.get(ApiToken, token_id)
    if token is None or token.user_id != user.id:
        raise NotFoundError(msg("There is no such token."))
    if token.revoked_at is None:
        token.revoked_at = now()
        work.audit("token.revoke", token.beginning, name=token.name)
    return token


def revoke_all(work: UnitOfWork, user: User) -> None:
    """No token of a person is good any more."""
    good = ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None)
    work.session.execute(update(ApiToken).where(*good).values(revoked_at=now()))


def find_valid(session: Session, secret: str) -> ApiToken | None:
    """The token that was shown, if it is still good."""
    if not secret.startswith(TOKEN_PREFIX) or len(secret) > 100:
        return None
    token = session.scalar(select(ApiToken).where(ApiToken.digest == _digest(secret)))
    return token if token is not None and token.is_valid else None


def should_record_use(token: ApiToken) -> bool:
    return token.used_at is None or token.used_at < now() - USE_INTERVAL


def record_use(node: Node, token_id: int) -> None:
    """Remember that a token was used, in a transaction of its own."""
    with node.work(by="api") as work:
        token = work.session.get(ApiToken, token_id)
        if token is not None:
            token.used_at = now()


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
