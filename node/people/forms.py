"""The form with which people sign in, and how often anybody may try a password."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from flask import current_app, request
from flask_babel import lazy_gettext as _l
from flask_security import LoginForm
from flask_security.utils import validate_redirect_url
from werkzeug.exceptions import ServiceUnavailable, TooManyRequests
from wtforms import Field

from node.db import db
from node.forms import refuse_unknown_fields
from node.people import hashing, session_cookies, sessions
from node.people.attempt_limits import SignInAttempt, SignInLimiter
from node.people.service import MAX_LEN_PASSWORD

EXTENSION_KEY = "moothall-tries"
NO_EMAIL = _l("Enter your email address")
NO_PASSWORD = _l("Enter your password")
# No address that mail reaches is longer (RFC 5321, section 4.5.3.1.3, without its brackets).
MAX_LEN_EMAIL = 254
# One sentence for both, so that nobody learns who has an account.
SIGN_IN_FAILED = _l("The email address or password is not correct")

log = structlog.get_logger(__name__)


class SignInForm(LoginForm):
    """Flask-Security's form, which looks at so many passwords and no more."""

    # A session lasts as long as the settings say; nobody is signed in for longer than that.
    remember = None

    def validate(self, **arguments: Any) -> bool:
        """Whether this is somebody's e-mail address and password.

        Raises `TooManyRequests` after too many tries, and `BadRequest` for a field that is not
        shown.
        """
        refuse_unknown_fields(self)
        # As accounts are kept; nobody thinks of the case of an e-mail address.
        email = self.email.data = (self.email.data or "").strip().lower()
        if len(email) > MAX_LEN_EMAIL:  # looking closer at it may take seconds
            return self._fail()
        password = self.password.data or ""
        if not email or not password:
            self.email.errors = [] if email else [NO_EMAIL]
            self.password.errors = [] if password else [NO_PASSWORD]
            return False
        with _count_attempt(email) as outcome:
            # A longer password is nobody's, and no hash takes one of any length.
            outcome.is_right = len(password) <= MAX_LEN_PASSWORD and super().validate(**arguments)
        return outcome.is_right or self._fail()

    def validate_next(self, field: Field) -> None:
        """Whoever is to go on to another site goes to the first page instead."""
        if field.data and not validate_redirect_url(field.data):
            field.data = ""

    def _fail(self) -> bool:
        self.email.errors, self.password.errors = [SIGN_IN_FAILED], []
        return False


def verify_current_password(email: str, password: str, password_hash: str) -> bool:
    """Whether whoever is signed in knows the password of the account. It counts as a try to sign
    in. Raises `TooManyRequests`.
    """
    with _count_attempt(email) as outcome:
        fits = 0 < len(password) <= MAX_LEN_PASSWORD
        outcome.is_right = fits and hashing.verify_hash(password, password_hash)
    return outcome.is_right


class _SignInOutcome:
    """Whether a password was right."""

    is_right = False


@contextmanager
def _count_attempt(email: str) -> Iterator[_SignInOutcome]:
    """Count a try to sign in as `email`, unless it succeeds. Raises `TooManyRequests`."""
    tries: SignInLimiter = current_app.extensions[EXTENSION_KEY]
    device = session_cookies.device_secret()
    is_known = sessions.is_known_device(db.session(), email, device)
    who = SignInAttempt(
        request.remote_addr or "", email, sessions.digest(device) if is_known else ""
    )
    wait = tries.hit(who)
    if wait:
        log.warning("too many tries to sign in", address=who.address)
        raise TooManyRequests(retry_after=math.ceil(wait))
    outcome = _SignInOutcome()
    try:
        yield outcome
    except ServiceUnavailable:  # nobody looked at the password
        tries.undo(who)
        raise
    if outcome.is_right:
        tries.record_success(who)
