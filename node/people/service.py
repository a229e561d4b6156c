"""Accounts: making them, finding them, closing them."""

import secrets
from collections.abc import Iterable

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.orm import Session

from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.messages import Message, msg
from node.people import credentials, hashing
from node.people.credentials import AccountChange
from node.people.models import Role, User
from node.people.permissions import ROLES, permissions_of
from node.plugin_views import PersonView
from node.runtime import Node, UnitOfWork
from node.text import misfit, trim

MIN_LEN_PASSWORD = 12
MAX_LEN_PASSWORD = 200


def by_id(session: Session, number: int) -> User | None:
    return session.get(User, number)


def to_plugin_view(user: User) -> PersonView:
    """Somebody as plugins see them."""
    roles = frozenset(role.name for role in user.roles)
    return PersonView(id=user.id, name=user.name, email=user.email, roles=roles)


def by_email(session: Session, email: str) -> User | None:
    return session.scalar(select(User).where(User.email == email))


def require_by_email(session: Session, email: str) -> User:
    """Raises `NotFoundError`."""
    user = by_email(session, email.strip().lower())
    if user is None:
        raise NotFoundError(msg("There is no account with this email address."))
    return user


def create(work: UnitOfWork, *, name: str, email: str, password: str, role: str) -> User:
    """A new account. Raises `InvalidInputError` with every field that is wrong.

    The password is hashed before anything is asked of the database: a transaction that has not
    begun is not held up by it.
    """
    wrong: dict[str, Message] = {}
    if no_password := _password_error(password):
        wrong["password"] = no_password
    password_hash = "" if wrong else hashing.make_hash(password)
    name = trim(name)
    if not 1 <= len(name) <= 200:
        wrong["person_name"] = msg("Enter your name in 200 characters or fewer")
    elif why := misfit(name, 200):
        wrong["person_name"] = why
    try:
        email = validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        wrong["email"] = msg(
            "Enter an email address in the correct format, like name@example.gov.uk"
        )
    else:
        if by_email(work.session, email) is not None:
            wrong["email"] = msg("There is already an account with this email address")
    if role not in ROLES:
        wrong["role"] = msg("Select a role: %(names)s", names=", ".join(ROLES))
    if wrong:
        raise InvalidInputError(msg("The account could not be created."), wrong)
    user = User(
        name=name,
        email=email,
        password=password_hash,
        fs_uniquifier=secrets.token_hex(16),
        active=True,
        roles=[_get_or_create_role(work.session, role)],
    )
    work.session.add(user)
    work.session.flush()
    work.audit("user.create", email, role=role)
    return user


def hash_new_password(password: str) -> str:
    """The hash of a password that somebody has chosen. To be made outside any transaction that
    writes. Raises `InvalidInputError`.
    """
    wrong = _password_error(password)
    if wrong:
        raise InvalidInputError(msg("The password could not be changed."), {"password": wrong})
    return hashing.make_hash(password)


def set_password(
    work: UnitOfWork, user: User, password_hash: str, keep_session: int | None = None
) -> None:
    """Somebody signs in with the password of this hash from now on. Everything that let anybody act
    as them ends, but for the session `keep_session`.
    """
    user.password = password_hash
    # Whoever signs in with the old password at this moment waits for this, or ends with the rest.
    work.session.flush()
    credentials.revoke_all(work, user, keep_session)
    credentials.notify_user(work, user, AccountChange.password)
    work.audit("user.set-password", user.email)


def _password_error(password: str) -> Message | None:
    """Why this cannot be a password."""
    if len(password) < MIN_LEN_PASSWORD:
        least = MIN_LEN_PASSWORD
        return msg("Password must be %(least)s characters or more", least=least)
    if len(password) > MAX_LEN_PASSWORD:
        most = MAX_LEN_PASSWORD
        return msg("Password must be %(most)s characters or fewer", most=most)
    return (
        msg("Password must only include characters you can type")
        if misfit(password, MAX_LEN_PASSWORD)
        else None
    )


def save_language(node: Node, user_id: int, language: str) -> None:
    """Somebody chose a language on a page that they only read, in a transaction of its own."""
    with node.work(by="language") as work:
        user = work.session.get(User, user_id)
        if user is not None:
            user.language = language


def grant_role(work: UnitOfWork, user: User, role: str) -> None:
    """Somebody may also do what `role` may. Raises `InvalidInputError` for none of ours."""
    _require_role(role)
    if role not in {each.name for each in user.roles}:
        user.roles.append(_get_or_create_role(work.session, role))
        credentials.notify_user(work, user, AccountChange.role_given, role=role)
        work.audit("user.give-role", user.email, role=role)


def remove_role(work: UnitOfWork, user: User, role: str) -> None:
    """Somebody may no longer do what `role` may. Where they can do less from now on, all that let
    anybody act as them ends. Raises `ConflictError` for the only role.
    """
    _require_role(role)
    kept = [each for each in user.roles if each.name != role]
    if not kept:
        raise ConflictError(msg("This is the account’s only role. Close the account instead."))
    if len(kept) < len(user.roles):
        hooks, before = work.node.hooks, {each.name for each in user.roles}
        user.roles[:] = kept
        loses = permissions_of(before, hooks) - permissions_of({each.name for each in kept}, hooks)
        if loses:
            work.session.flush()
            credentials.revoke_all(work, user)
        change = AccountChange.rights_lost if loses else AccountChange.role_taken
        credentials.notify_user(work, user, change, role=role)
        work.audit("user.take-role", user.email, role=role)


def list_with_roles(session: Session, roles: Iterable[str]) -> list[User]:
    """The people whose accounts are in use and who have one of these roles, by name."""
    query = select(User).where(User.active, User.roles.any(Role.name.in_(roles)))
    return list(session.scalars(query.order_by(User.name, User.id)))


def list_all(session: Session) -> list[User]:
    """All accounts, also those that have ended."""
    return list(session.scalars(select(User).order_by(User.name, User.id)))


def deactivate(work: UnitOfWork, user: User) -> None:
    """Nobody signs in with this account any more, and nothing lets anybody act as its owner."""
    user.active = False
    work.session.flush()
    credentials.revoke_all(work, user)
    credentials.notify_user(work, user, AccountChange.closed)
    work.audit("user.deactivate", user.email)


def _require_role(role: str) -> None:
    if role not in ROLES:
        wrong = msg("Select a role: %(names)s", names=", ".join(ROLES))
        raise InvalidInputError(wrong, {"role": wrong})


def _get_or_create_role(session: Session, name: str) -> Role:
    role = session.scalar(select(Role).where(Role.name == name))
    if role is None:
        role = Role(name=name)
        session.add(role)
    return role
