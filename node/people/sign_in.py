"""Configures Flask-Security: sign-in with an email address and a password, hashed with argon2."""

import hashlib
import hmac
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_security import Security, SQLAlchemyUserDatastore, current_user, logout_user
from sqlalchemy import inspect
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from node.database.engine import read_write
from node.database.tables import db
from node.people import session_cookies
from node.people.attempt_limits import SignInLimiter
from node.people.forms import EXTENSION_KEY, SignInForm
from node.people.hashing import ARGON2_OPTIONS, BoundedHashing
from node.people.models import Role, User
from node.people.service import MIN_LEN_PASSWORD
from node.principal import Via
from node.request import current_work
from node.settings import Settings


class SignInDatastore(SQLAlchemyUserDatastore):
    """Leaves the commit to the unit of work of the request."""

    def commit(self) -> None:
        """Called by Flask-Security once a password is verified: begin the user's session.

        Verifying is slow, so the request has only read until now. A write transaction begins here;
        it stores the session, and the password's hash if it was updated to new parameters. If the
        password was changed meanwhile, or the account closed, the user is signed out again.
        """
        user: User = current_user._get_current_object()
        history: Any = inspect(user).attrs.password.history
        verified_hash, new_hashes = (history.deleted or history.unchanged)[0], history.added
        self.db.session.rollback()
        with read_write():
            work = current_work()
            work.session.refresh(user, with_for_update={"of": User})
            if user.password != verified_hash or not user.active:
                logout_user()
                return
            if new_hashes:
                user.password = new_hashes[0]
            work.by = user.to_principal(Via.session)
            session_cookies.begin_session(work, user)
            work.session.flush()


class CookieSessionInterface(SecureCookieSessionInterface):
    """Skips reading the session for requests without cookies, such as those of other servers."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if "Cookie" not in request.headers:
            return self.session_class()
        return super().open_session(app, request)


def configure(app: Flask, settings: Settings, secret: str) -> None:
    """Set Flask-Security up on `app`."""
    app.config.update(
        SECRET_KEY=secret,
        SESSION_COOKIE_NAME=settings.cookie_name("session"),
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_SAMESITE="Lax",
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 -- the name of a method
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        # Argon2 salts by itself. An HMAC with the node's key would tie all passwords to that key.
        SECURITY_PASSWORD_SINGLE_HASH=["argon2"],
        SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS=ARGON2_OPTIONS,
        SECURITY_PASSWORD_LENGTH_MIN=MIN_LEN_PASSWORD,
        # `node.web.security_headers` sets it for every page.
        SECURITY_CACHE_CONTROL=None,
        SECURITY_LOGIN_URL="/sign-in",
        SECURITY_LOGOUT_URL="/sign-out",
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},
        SECURITY_SEND_REGISTER_EMAIL=False,
        SECURITY_FRESHNESS=timedelta(minutes=-1),  # never asks for the password again
    )
    app.session_interface = CookieSessionInterface()
    app.extensions[EXTENSION_KEY] = SignInLimiter()
    security = Security(app, SignInDatastore(db, User, Role), login_form=SignInForm)
    security.pwd_context = BoundedHashing(security.pwd_context)
    security.want_json(lambda _request: False)
    session_cookies.register(app)
    app.before_request(_reject_json)


def _reject_json() -> None:
    """Reject JSON, which Flask-Security would accept with values of any type, and malformed
    `next` URLs, which it would fail on.
    """
    if request.blueprint != "security":
        return
    if request.is_json:
        raise UnsupportedMediaType
    for next_url in request.values.getlist("next"):
        try:
            urlsplit(next_url.replace("\\", "/"))
        except ValueError as error:
            raise BadRequest from error


def derive_secret(secret: str, purpose: str) -> str:
    """Derive a secret for one purpose from the node's secret key (HMAC-SHA-256, hex)."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def first_run_token(secret: str) -> str:
    """The token shown on the console, so that only the operator can set up a new node."""
    return derive_secret(secret, "first-run")[:32]
