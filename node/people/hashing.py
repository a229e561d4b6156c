"""Hashes and verifies passwords with argon2, a bounded number at a time.

Each hash takes tens of milliseconds of a processor and 19 MiB of memory: without a bound, a handful
of simultaneous sign-ins would starve all other requests.
"""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask_security import hash_password, verify_password
from werkzeug.exceptions import ServiceUnavailable

# OWASP's Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane. Only the test
# kit changes it.
ARGON2_OPTIONS: dict[str, int] = {
    "argon2__memory_cost": 19 * 1024,  # KiB
    "argon2__time_cost": 2,
    "argon2__parallelism": 1,
}
# Hashes computed at once, callers waiting for their turn, and how long they wait.
MAX_CONCURRENT, MAX_WAITING, MAX_WAIT_SECONDS = 2, 4, 2.0
RETRY_AFTER_SECONDS = 5


class BoundedHashing:
    """Wraps passlib's context: at most `MAX_CONCURRENT` hashes at a time in this process."""

    def __init__(self, context: Any) -> None:  # passlib's CryptContext, which has no types
        self._context = context
        self._slots = threading.BoundedSemaphore(MAX_CONCURRENT)
        self._queue = threading.BoundedSemaphore(MAX_CONCURRENT + MAX_WAITING)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        """Wait for a slot. Raises `ServiceUnavailable` if too many wait, or for too long."""
        if not self._queue.acquire(blocking=False):
            raise ServiceUnavailable(retry_after=RETRY_AFTER_SECONDS)
        try:
            if not self._slots.acquire(timeout=MAX_WAIT_SECONDS):
                raise ServiceUnavailable(retry_after=RETRY_AFTER_SECONDS)
            try:
                yield
            finally:
                self._slots.release()
        finally:
            self._queue.release()

    def hash(self, secret: str) -> str:
        with self._slot():
            hashed: str = self._context.hash(secret)
            return hashed

    def verify(self, secret: str, hashed: str) -> bool:
        with self._slot():
            return bool(self._context.verify(secret, hashed))

    def needs_update(self, hashed: str) -> bool:
        """Whether the hash was made with other parameters than the current ones."""
        return bool(self._context.needs_update(hashed))

    def identify(self, hashed: str) -> str | None:
        """The name of the scheme that made the hash."""
        scheme: str | None = self._context.identify(hashed)
        return scheme


def make_hash(password: str) -> str:
    """The hash of a password, as Flask-Security reads it when people sign in."""
    password_hash: str = hash_password(_normalise(password))
    return password_hash


def verify_hash(password: str, password_hash: str) -> bool:
    """Whether this is the password with that hash."""
    return bool(verify_password(_normalise(password), password_hash))


def _normalise(password: str) -> str:
    return unicodedata.normalize("NFKD", password)
