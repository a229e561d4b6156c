"""Sign-in with Flask-Security: an e-mail address and a password, hashed with argon2."""

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

from node.db import db, read_write
from node.people import session_cookies
from node.people.attempt_limits import SignInLimiter
from node.people.forms import EXTENSION_KEY, SignInForm
from node.people.hashing import ARGON2_OPTIONS, BoundedHashing
from node.people.models import Role, User
from node.people.service import MIN_LEN_PASSWORD
from node.request import current_work
from node.settings import Settings


class SignInDatastore(SQLAlchemyUserDatastore):
    """Leaves the commit to the one place that commits a request."""

    def commit(self) -> None:
        """Somebody has signed in. That has only read so far, so that nobody waited for a password
        to be verified; a transaction that begins now writes their session, and the hash of their
        password where it was made anew with other parameters.

        Whose password was changed meanwhile, or whose account was closed, is not signed in.
        """
        user: User = current_user._get_current_object()
        history: Any = inspect(user).attrs.password.history
        verified, hashed_anew = (history.deleted or history.unchanged)[0], history.added
        self.db.session.rollback()
        with read_write():
            work = current_work()
            work.session.refresh(user, with_for_update={"of": User})
            if user.password != verified or not user.active:
                logout_user()
                return
            if hashed_anew:
                user.password = hashed_anew[0]
            work.by = user.email
            session_cookies.begin_session(work, user)
            work.session.flush()


class CookieSessionInterface(SecureCookieSessionInterface):
    """Reads the session of whoever sends one: of a first visitor, and of other servers, there is
    nothing to read.
    """

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
        # Argon2 has a salt of its own; with the node's key in it, losing that would lose them all.
        SECURITY_PASSWORD_SINGLE_HASH=["argon2"],
        SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS=ARGON2_OPTIONS,
        SECURITY_PASSWORD_LENGTH_MIN=MIN_LEN_PASSWORD,
        # Written for every page by `node.web.security_headers`.
        SECURITY_CACHE_CONTROL=None,
        SECURITY_LOGIN_URL="/sign-in",
        SECURITY_LOGOUT_URL="/sign-out",
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},
        SECURITY_SEND_REGISTER_EMAIL=False,
        SECURITY_FRESHNESS=timedelta(minutes=-1),  # no page that asks for the password again
    )
    app.session_interface = CookieSessionInterface()
    app.extensions[EXTENSION_KEY] = SignInLimiter()
    security = Security(app, SignInDatastore(db, User, Role), login_form=SignInForm)
    security.pwd_context = BoundedHashing(security.pwd_context)
    security.want_json(lambda _request: False)
    session_cookies.register(app)
    app.before_request(_reject_json)


def _reject_json() -> None:
    """Flask-Security would read JSON too, which may hold anything, and takes every place to go on
    to for an address.
    """
    if request.blueprint != "security":
        return
    if request.is_json:
        raise UnsupportedMediaType
    for place in request.values.getlist("next"):
        try:
            urlsplit(place.replace("\\", "/"))
        except ValueError as error:
            raise BadRequest from error


def derive_secret(secret: str, purpose: str) -> str:
    """A secret for one purpose, made from the node's secret key."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def first_run_token(secret: str) -> str:
    """What the console shows, so that no stranger sets up a node that was just started."""
    return derive_secret(secret, "first-run")[:32]
