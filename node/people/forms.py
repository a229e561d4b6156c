"""The form with which people sign in."""

import math
from typing import Any

import structlog
from flask import current_app, request
from flask_babel import lazy_gettext as _l
from flask_security import LoginForm
from werkzeug.exceptions import TooManyRequests

from node.people.service import LONGEST_PASSWORD
from node.people.tries import SignInTries

EXTENSION = "moothall-tries"
NO_EMAIL = _l("Enter your email address")
NO_PASSWORD = _l("Enter your password")
# No address that mail reaches is longer (RFC 5321, section 4.5.3.1.3, without its brackets).
LONGEST_EMAIL = 254
# One sentence for both, so that nobody learns who has an account.
SIGN_IN_FAILED = _l("The email address or the password is not correct")

log = structlog.get_logger(__name__)


class SignInForm(LoginForm):
    """Flask-Security's form, which looks at so many passwords and no more."""

    def validate(self, **arguments: Any) -> bool:
        """Whether this is somebody's e-mail address and password.

        Raises `TooManyRequests` after too many tries.
        """
        # As accounts are kept; nobody thinks of the case of an e-mail address.
        email = self.email.data = (self.email.data or "").strip().lower()
        if len(email) > LONGEST_EMAIL:  # looking closer at it may take seconds
            return self._fail()
        password = self.password.data or ""
        if not email or not password:
            self.email.errors = [] if email else [NO_EMAIL]
            self.password.errors = [] if password else [NO_PASSWORD]
            return False
        tries: SignInTries = current_app.extensions[EXTENSION]
        address = request.remote_addr or ""
        wait = tries.begin(address, email)
        if wait:
            log.warning("too many tries to sign in", address=address)
            raise TooManyRequests(retry_after=math.ceil(wait))
        # A longer password is nobody's, and no hash takes one of any length.
        if len(password) > LONGEST_PASSWORD or not super().validate(**arguments):
            return self._fail()
        tries.succeeded(address, email)
        return True

    def _fail(self) -> bool:
        self.email.errors, self.password.errors = [SIGN_IN_FAILED], []
        return False
