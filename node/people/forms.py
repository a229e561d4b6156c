"""The sign-in form, and the verification of passwords within the attempt limits."""

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

from node.database.tables import db
from node.forms import refuse_unknown_fields
from node.people import hashing, session_cookies, sessions
from node.people.attempt_limits import SignInAttempt, SignInLimiter
from node.people.service import MAX_LEN_PASSWORD

EXTENSION_KEY = "moothall-tries"
EMAIL_MISSING = _l("Enter your email address")
PASSWORD_MISSING = _l("Enter your password")
# Characters in a deliverable address (RFC 5321, section 4.5.3.1.3, without the brackets).
MAX_LEN_EMAIL = 254
# The same error for both, so that no one learns who has an account.
SIGN_IN_FAILED = _l("The email address or password is not correct")

log = structlog.get_logger(__name__)


class SignInForm(LoginForm):
    """Flask-Security's sign-in form, with attempt limits."""

    # No "remember me": the settings decide how long a session lasts.
    remember = None

    def validate(self, **arguments: Any) -> bool:
        """Whether email address and password belong to an active account.

        Raises `TooManyRequests` after too many attempts, and `BadRequest` for an unknown field.
        """
        refuse_unknown_fields(self)
        # Accounts are stored in lower case.
        email = self.email.data = (self.email.data or "").strip().lower()
        if len(email) > MAX_LEN_EMAIL:  # validating such an address may take seconds
            return self._fail()
        password = self.password.data or ""
        if not email or not password:
            self.email.errors = [] if email else [EMAIL_MISSING]
            self.password.errors = [] if password else [PASSWORD_MISSING]
            return False
        with _counted_attempt(email) as outcome:
            # No account has a longer password, and hashing a very long one is expensive.
            outcome.succeeded = len(password) <= MAX_LEN_PASSWORD and super().validate(**arguments)
        return outcome.succeeded or self._fail()

    def validate_next(self, field: Field) -> None:
        """Replace a redirect to another site by one to the home page."""
        if field.data and not validate_redirect_url(field.data):
            field.data = ""

    def _fail(self) -> bool:
        self.email.errors, self.password.errors = [SIGN_IN_FAILED], []
        return False


def verify_current_password(email: str, password: str, password_hash: str) -> bool:
    """Whether `password` is that of the signed-in user. Counts as an attempt to sign in.

    Raises `TooManyRequests`.
    """
    with _counted_attempt(email) as outcome:
        has_valid_length = 0 < len(password) <= MAX_LEN_PASSWORD
        outcome.succeeded = has_valid_length and hashing.verify_hash(password, password_hash)
    return outcome.succeeded


class _SignInOutcome:
    """Whether a password was right."""

    succeeded = False


@contextmanager
def _counted_attempt(email: str) -> Iterator[_SignInOutcome]:
    """Count an attempt to sign in as `email`, unless it succeeds. Raises `TooManyRequests`."""
    limiter: SignInLimiter = current_app.extensions[EXTENSION_KEY]
    device = session_cookies.device_secret()
    is_known = sessions.is_known_device(db.session(), email, device)
    attempt = SignInAttempt(
        request.remote_addr or "", email, sessions.digest(device) if is_known else ""
    )
    wait = limiter.hit(attempt)
    if wait:
        log.warning("too many sign-in attempts", address=attempt.address)
        raise TooManyRequests(retry_after=math.ceil(wait))
    outcome = _SignInOutcome()
    try:
        yield outcome
    except ServiceUnavailable:  # the password was not verified
        limiter.undo(attempt)
        raise
    if outcome.succeeded:
        limiter.record_success(attempt)
