"""Connects the cookies of the current request with a `UserSession`.

The session cookie is Flask's, signed, and ends with the browser. The device cookie identifies the
device across sessions; it does not identify the user, and does not sign anyone in.
"""

import structlog
from flask import Flask, Response, after_this_request, g, request, session
from flask_login.signals import user_logged_out
from sqlalchemy.exc import DBAPIError

from node.database.tables import db
from node.people import credentials, sessions
from node.people.credentials import AccountChange
from node.people.models import User
from node.people.user_agents import parse_device
from node.principal import Via
from node.request import current_node
from node.runtime import UnitOfWork

# The key of the session's secret in Flask's session.
SESSION_SECRET_KEY = "sid"  # noqa: S105 -- a name
# Our device secrets are shorter.
MAX_LEN_DEVICE_SECRET = 100

log = structlog.get_logger(__name__)


def register(app: Flask) -> None:
    """Have Flask-Login load the user by their `UserSession`, and by nothing else."""
    manager = app.login_manager  # type: ignore[attr-defined]  # Flask-Login's
    manager.user_loader(_load_user)
    # Flask-Security would also accept a token in a header or the query string.
    manager.request_loader(None)
    user_logged_out.connect(_on_signed_out, app, weak=False)


def _load_user(uniquifier: str) -> User | None:
    """The user of the current session. `uniquifier` is Flask-Login's user id from the cookie."""
    secret = str(session.get(SESSION_SECRET_KEY) or "")
    row = sessions.find(db.session(), current_node().settings, secret) if secret else None
    if row is None or row.user.fs_uniquifier != uniquifier:
        return None
    g.user_session_id = row.id
    if sessions.should_record_use(row):
        g.noted_session_id = row.id
    return row.user


def begin_session(work: UnitOfWork, user: User) -> None:
    """Begin a session for a user who signs in with this request, with a new CSRF token."""
    device = parse_device(request.headers.get("User-Agent", ""))
    is_known = sessions.is_known_device(work.session, user.email, device_secret())
    if not is_known and sessions.has_signed_in(work.session, user):
        credentials.notify_user(work, user, AccountChange.device, **device._asdict())
    g.user_session_id, session[SESSION_SECRET_KEY] = sessions.begin_session(
        work, user, _ensure_device_cookie(), device
    )
    session.pop("csrf_token", None)
    g.pop("csrf_token", None)


def current_session_id() -> int:
    """The id of the current user's `UserSession`."""
    session_id: int = g.user_session_id
    return session_id


def renew_session(work: UnitOfWork) -> None:
    """Continue the current session with a new secret."""
    session[SESSION_SECRET_KEY] = sessions.renew(work, current_session_id())


def device_secret() -> str:
    """The secret in the device cookie; empty if there is none yet."""
    secret = request.cookies.get(current_node().settings.cookie_name("device"), "")
    return secret if len(secret) <= MAX_LEN_DEVICE_SECRET else ""


def _ensure_device_cookie() -> str:
    """Set or renew the device cookie with the response. Returns the device's secret."""
    secret, settings = device_secret() or sessions.new_secret(), current_node().settings

    def set_cookie(response: Response) -> Response:
        response.set_cookie(
            settings.cookie_name("device"),
            secret,
            max_age=sessions.MAX_AGE,
            secure=settings.is_https,
            httponly=True,
            samesite="Lax",
        )
        return response

    after_this_request(set_cookie)
    return secret


def _on_signed_out(_app: Flask, user: User) -> None:
    """End the session's row on sign-out, so that copies of its cookie stop working too."""
    if session.pop(SESSION_SECRET_KEY, None) is None:
        return
    with current_node().work(by=user.to_principal(Via.session)) as work:
        sessions.end(work, user, current_session_id())


def record_use() -> None:
    """Record the use of the session, after the transaction of the request. If that fails, the next
    request does it.
    """
    session_id: int | None = g.pop("noted_session_id", None)
    if session_id is not None:
        try:
            sessions.record_use(current_node(), session_id)
        except DBAPIError:
            log.warning("session use not recorded")
