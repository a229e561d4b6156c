"""Creates, finds, changes and closes accounts."""

import secrets
from collections.abc import Iterable

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.orm import Session

from node.access.permissions import ROLES, permissions_of
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.messages import Message, msg
from node.people import credentials, hashing
from node.people.credentials import AccountChange
from node.people.models import Role, User
from node.plugin_api.info import PersonInfo
from node.principal import Principal
from node.runtime import Node, UnitOfWork
from node.text import find_text_error, trim

MIN_LEN_PASSWORD = 12
MAX_LEN_PASSWORD = 200


def by_id(session: Session, number: int) -> User | None:
    return session.get(User, number)


def to_plugin_view(user: User) -> PersonInfo:
    """The part of an account that plugins see."""
    roles = frozenset(role.name for role in user.roles)
    return PersonInfo(id=user.id, name=user.name, email=user.email, roles=roles)


def by_email(session: Session, email: str) -> User | None:
    return session.scalar(select(User).where(User.email == email))


def acting_user(work: UnitOfWork) -> User | None:
    """The user who acts in this unit of work; None for a job, a command or a remote actor."""
    user_id = work.by.user_id
    return by_id(work.session, user_id) if user_id is not None else None


def require_by_email(session: Session, email: str) -> User:
    """Raises `NotFoundError`."""
    user = by_email(session, email.strip().lower())
    if user is None:
        raise NotFoundError(msg("There is no account with this email address."))
    return user


def create(work: UnitOfWork, *, name: str, email: str, password: str, role: str) -> User:
    """Create an account. Raises `InvalidInputError` with an error for each invalid field.

    The password is hashed before the first query, so that no transaction is open meanwhile.
    """
    errors: dict[str, Message] = {}
    if password_error := _find_password_error(password):
        errors["password"] = password_error
    password_hash = "" if errors else hashing.make_hash(password)
    name = trim(name)
    if not 1 <= len(name) <= 200:
        errors["person_name"] = msg("Enter your name in 200 characters or fewer")
    elif error := find_text_error(name, 200):
        errors["person_name"] = error
    try:
        email = validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        errors["email"] = msg(
            "Enter an email address in the correct format, like name@example.gov.uk"
        )
    else:
        if by_email(work.session, email) is not None:
            errors["email"] = msg("There is already an account with this email address")
    if role not in ROLES:
        errors["role"] = msg("Select a role: %(names)s", names=", ".join(ROLES))
    if errors:
        raise InvalidInputError(msg("The account could not be created."), errors)
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
    """Validate and hash a new password. Call outside write transactions: it takes long.

    Raises `InvalidInputError`.
    """
    error = _find_password_error(password)
    if error:
        raise InvalidInputError(msg("The password could not be changed."), {"password": error})
    return hashing.make_hash(password)


def set_password(
    work: UnitOfWork, user: User, password_hash: str, keep_session: int | None = None
) -> None:
    """Set a new password and revoke all other credentials of the user but `keep_session`."""
    user.password = password_hash
    # A concurrent sign-in with the old password waits for this row, or is revoked below.
    work.session.flush()
    credentials.revoke_all(work, user, keep_session)
    credentials.notify_user(work, user, AccountChange.password)
    work.audit("user.set-password", user.email)


def _find_password_error(password: str) -> Message | None:
    """Why `password` is not acceptable; None if it is."""
    if len(password) < MIN_LEN_PASSWORD:
        least = MIN_LEN_PASSWORD
        return msg("Password must be %(least)s characters or more", least=least)
    if len(password) > MAX_LEN_PASSWORD:
        most = MAX_LEN_PASSWORD
        return msg("Password must be %(most)s characters or fewer", most=most)
    return (
        msg("Password must only include characters you can type")
        if find_text_error(password, MAX_LEN_PASSWORD)
        else None
    )


def save_language(node: Node, user_id: int, language: str) -> None:
    """Store a user's language in a transaction of its own, as the request's is read-only."""
    with node.work(by=Principal.job("language")) as work:
        user = work.session.get(User, user_id)
        if user is not None:
            user.language = language


def grant_role(work: UnitOfWork, user: User, role: str) -> None:
    """Give a user a role. Raises `InvalidInputError` for an unknown role."""
    _require_role(role)
    if role not in {held.name for held in user.roles}:
        user.roles.append(_get_or_create_role(work.session, role))
        credentials.notify_user(work, user, AccountChange.role_given, role=role)
        work.audit("user.give-role", user.email, role=role)


def remove_role(work: UnitOfWork, user: User, role: str) -> None:
    """Take a role from a user. Revokes all credentials if the user loses permissions by it.

    Raises `InvalidInputError` for an unknown role, `ConflictError` for the user's only role.
    """
    _require_role(role)
    remaining = [held for held in user.roles if held.name != role]
    if not remaining:
        raise ConflictError(msg("This is the account’s only role. Close the account instead."))
    if len(remaining) < len(user.roles):
        hooks = work.node.hooks
        permissions_before = permissions_of({held.name for held in user.roles}, hooks)
        user.roles[:] = remaining
        lost = permissions_before - permissions_of({held.name for held in remaining}, hooks)
        if lost:
            work.session.flush()
            credentials.revoke_all(work, user)
        change = AccountChange.rights_lost if lost else AccountChange.role_taken
        credentials.notify_user(work, user, change, role=role)
        work.audit("user.take-role", user.email, role=role)


def list_with_roles(session: Session, roles: Iterable[str]) -> list[User]:
    """The active users who have one of these roles, by name."""
    query = select(User).where(User.active, User.roles.any(Role.name.in_(roles)))
    return list(session.scalars(query.order_by(User.name, User.id)))


def list_all(session: Session) -> list[User]:
    """All users, including inactive ones, by name."""
    return list(session.scalars(select(User).order_by(User.name, User.id)))


def deactivate(work: UnitOfWork, user: User) -> None:
    """Close an account and revoke all its credentials."""
    user.active = False
    work.session.flush()
    credentials.revoke_all(work, user)
    credentials.notify_user(work, user, AccountChange.closed)
    work.audit("user.deactivate", user.email)


def _require_role(role: str) -> None:
    if role not in ROLES:
        error = msg("Select a role: %(names)s", names=", ".join(ROLES))
        raise InvalidInputError(error, {"role": error})


def _get_or_create_role(session: Session, name: str) -> Role:
    role = session.scalar(select(Role).where(Role.name == name))
    if role is None:
        role = Role(name=name)
        session.add(role)
    return role
