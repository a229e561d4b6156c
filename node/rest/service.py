"""Making, finding and revoking tokens."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from node.db import now
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.people import credentials
from node.people.credentials import Change
from node.people.models import User
from node.rest.models import Scope, Token
from node.runtime import Node, UnitOfWork
from node.text import misfit, trim
from node.wording import Saying, say

# Recognised by those who look for secrets in what is published.
PREFIX = "moothall_"
DAYS = (30, 90, 365)
# So many may one person have that are good.
MOST = 20
LONGEST_NAME = 100
# When a token was last used is noted no more often.
NOTED_EACH = timedelta(minutes=10)


def make(
    work: UnitOfWork, user: User, name: str, scopes: Sequence[str], days: int
) -> tuple[Token, str]:
    """A new token, and what is shown of it this once. Raises `InvalidInputError`."""
    name = trim(name)
    wrong: dict[str, Saying] = {}
    if not name:
        wrong["name"] = say("Enter what the token is for")
    elif why := misfit(name, LONGEST_NAME):
        wrong["name"] = why
    if not scopes or not set(scopes) <= set(Scope):
        wrong["scopes"] = say("Select what the token can do")
    if days not in DAYS:
        wrong["days"] = say("Select when the token expires")
    if wrong:
        raise InvalidInputError(say("The token could not be created."), wrong)
    if sum(each.is_good for each in of_user(work.session, user)) >= MOST:
        raise ConflictError(
            say(
                "You already have %(most)s tokens. Revoke one before you create another.", most=MOST
            )
        )
    if not user.active:
        raise ConflictError(say("This account has been closed."))
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token(
        user=user,
        name=name,
        digest=_digest(secret),
        beginning=secret[len(PREFIX) :][:6],
        scopes=sorted({Scope(each).value for each in scopes}),
        expires_at=now() + timedelta(days=days),
    )
    work.session.add(token)
    work.session.flush()
    credentials.notify(work, user, Change.token, name=name)
    work.audit("token.make", token.beginning, name=name, scopes=token.scopes)
    return token, secret


def of_user(session: Session, user: User) -> list[Token]:
    """The tokens of a person, newest first."""
    query = select(Token).where(Token.user_id == user.id).order_by(Token.id.desc())
    return list(session.scalars(query.limit(200)))


def revoke(work: UnitOfWork, user: User, token_id: int) -> Token:
    """Whoever made a token ends it. Raises `NotFoundError` for anybody else's."""
    token = work.session.get(Token, token_id)
    if token is None or token.user_id != user.id:
        raise NotFoundError(say("There is no such token."))
    if token.revoked_at is None:
        token.revoked_at = now()
        work.audit("token.revoke", token.beginning, name=token.name)
    return token


def revoke_all(work: UnitOfWork, user: User) -> None:
    """No token of a person is good any more."""
    good = Token.user_id == user.id, Token.revoked_at.is_(None)
    work.session.execute(update(Token).where(*good).values(revoked_at=now()))


def find(session: Session, secret: str) -> Token | None:
    """The token that was shown, if it is still good."""
    if not secret.startswith(PREFIX) or len(secret) > 100:
        return None
    token = session.scalar(select(Token).where(Token.digest == _digest(secret)))
    return token if token is not None and token.is_good else None


def needs_note(token: Token) -> bool:
    return token.used_at is None or token.used_at < now() - NOTED_EACH


def note_use(node: Node, token_id: int) -> None:
    """Remember that a token was used, in a transaction of its own."""
    with node.work(by="api") as work:
        token = work.session.get(Token, token_id)
        if token is not None:
            token.used_at = now()


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
