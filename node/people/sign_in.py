"""Sign-in with Flask-Security: an e-mail address and a password, hashed with argon2."""

import hashlib
import hmac
from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, Request, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_security import Security, SQLAlchemyUserDatastore
from sqlalchemy import inspect
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from node.db import db, may_write
from node.people.forms import EXTENSION, SignInForm
from node.people.models import Role, User
from node.people.service import SHORTEST_PASSWORD
from node.people.tries import SignInTries
from node.settings import Settings

# What the hashing of a password costs, where it is not what the library takes: nothing but the
# test kit says so.
HASHING: dict[str, int] = {}


class Datastore(SQLAlchemyUserDatastore):
    """Leaves the commit to the one place that commits a request."""

    def commit(self) -> None:
        """Signing in has only read so far, so that nobody waited for a password to be looked at. A
        password that is hashed anew, as hashes cost more over the years, is written by a
        transaction that begins to write now; not over one that was changed meanwhile.
        """
        session = self.db.session
        anew = [(user, inspect(user).attrs.password.history) for user in session.dirty]
        with may_write():
            session.rollback()
            for user, (added, _same, before) in anew:
                if [user.password] == list(before):
                    user.password = added[0]
            session.flush()


class Sessions(SecureCookieSessionInterface):
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
        SESSION_COOKIE_NAME=settings.cookie("session"),
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_NAME=settings.cookie("remember"),
        REMEMBER_COOKIE_SECURE=settings.is_https,
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SAMESITE="Lax",
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 -- the name of a method
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        # Argon2 has a salt of its own; with the node's key in it, losing that would lose them all.
        SECURITY_PASSWORD_SINGLE_HASH=["argon2"],
        SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS=HASHING,
        SECURITY_PASSWORD_LENGTH_MIN=SHORTEST_PASSWORD,
        SECURITY_LOGIN_URL="/sign-in",
        SECURITY_LOGOUT_URL="/sign-out",
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},
        SECURITY_SEND_REGISTER_EMAIL=False,
        SECURITY_FRESHNESS=timedelta(minutes=-1),  # no page that asks for the password again
    )
    app.session_interface = Sessions()
    app.extensions[EXTENSION] = SignInTries()
    security = Security(app, Datastore(db, User, Role), login_form=SignInForm)
    security.want_json(lambda _request: False)
    app.before_request(_only_forms)


def _only_forms() -> None:
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


def derived(secret: str, purpose: str) -> str:
    """A secret for one purpose, made from the node's secret key."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def first_run_token(secret: str) -> str:
    """What the console shows, so that no stranger sets up a node that was just started."""
    return derived(secret, "first-run")[:32]
