"""The session of the current request: what its cookies hold, and its row.

The cookie with the session is Flask's, signed, and ends with the browser. Another names the device;
it says nothing of who signs in, and alone lets nobody in.
"""

import structlog
from flask import Flask, Response, after_this_request, g, request, session
from flask_login.signals import user_logged_out
from sqlalchemy.exc import DBAPIError

from node.db import db
from node.people import credentials, sessions
from node.people.credentials import AccountChange
from node.people.models import User
from node.people.user_agents import parse_device
from node.request import current_node
from node.runtime import UnitOfWork

# What it is called in the cookie of the session.
SECRET_KEY_NAME = "sid"  # noqa: S105 -- a name
# A longer one is none that we made.
MAX_LEN_DEVICE = 100

log = structlog.get_logger(__name__)


def register(app: Flask) -> None:
    """Have whoever is signed in found by the row of their session, and by nothing else."""
    manager = app.login_manager  # type: ignore[attr-defined]  # Flask-Login's
    manager.user_loader(_load_user)
    # Flask-Security would also take a token in a header or the address.
    manager.request_loader(None)
    user_logged_out.connect(_on_signed_out, app, weak=False)


def _load_user(uniquifier: str) -> User | None:
    """Whose session this is. `uniquifier` is what Flask-Login keeps of them in the cookie."""
    secret = str(session.get(SECRET_KEY_NAME) or "")
    row = sessions.find(db.session(), current_node().settings, secret) if secret else None
    if row is None or row.user.fs_uniquifier != uniquifier:
        return None
    g.user_session_id = row.id
    if sessions.should_record_use(row):
        g.noted_session_id = row.id
    return row.user


def begin_session(work: UnitOfWork, user: User) -> None:
    """Somebody signed in with this request: a new session, and a new token in all forms."""
    used = parse_device(request.headers.get("User-Agent", ""))
    is_known = sessions.is_known_device(work.session, user.email, device_secret())
    if not is_known and sessions.has_signed_in(work.session, user):
        credentials.notify_user(work, user, AccountChange.device, **used._asdict())
    g.user_session_id, session[SECRET_KEY_NAME] = sessions.begin(
        work, user, _ensure_device_cookie(), used
    )
    session.pop("csrf_token", None)
    g.pop("csrf_token", None)


def current_session_id() -> int:
    """The number of the session of whoever is signed in."""
    number: int = g.user_session_id
    return number


def renew_session(work: UnitOfWork) -> None:
    """The session goes on with another secret."""
    session[SECRET_KEY_NAME] = sessions.renew(work, current_session_id())


def device_secret() -> str:
    """What names the device; empty where it has no name yet."""
    given = request.cookies.get(current_node().settings.cookie_name("device"), "")
    return given if len(given) <= MAX_LEN_DEVICE else ""


def _ensure_device_cookie() -> str:
    """What names the device from now on."""
    secret, settings = device_secret() or sessions.new_secret(), current_node().settings

    def set_cookie(response: Response) -> Response:
        response.set_cookie(
            settings.cookie_name("device"),
            secret,
            max_age=sessions.RETENTION,
            secure=settings.is_https,
            httponly=True,
            samesite="Lax",
        )
        return response

    after_this_request(set_cookie)
    return secret


def _on_signed_out(_app: Flask, user: User) -> None:
    """Whoever signs out has ended the session, whoever else has a copy of its cookie."""
    if session.pop(SECRET_KEY_NAME, None) is None:
        return
    with current_node().work(by=user.email) as work:
        sessions.end(work, user, current_session_id())


def record_use() -> None:
    """Write down that the session was used, once the transaction of the request has ended. Where
    that cannot be done, the next request does it.
    """
    number: int | None = g.pop("noted_session_id", None)
    if number is not None:
        try:
            sessions.record_use(current_node(), number)
        except DBAPIError:
            log.warning("the use of a session could not be written down")
