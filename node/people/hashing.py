"""Hashing passwords with argon2: a bounded number at once, whoever asks.

Each hash takes tens of milliseconds of a processor and 19 MiB of memory: without a bound, a handful
of people who sign in at once could take both from everybody else.
"""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask_security import hash_password, verify_password
from werkzeug.exceptions import ServiceUnavailable

# OWASP's Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane. Nothing but the
# test kit changes it.
ARGON2_OPTIONS: dict[str, int] = {
    "argon2__memory_cost": 19 * 1024,  # KiB
    "argon2__time_cost": 2,
    "argon2__parallelism": 1,
}
# So many at once, and so many that wait for one of these places, for so many seconds.
MAX_CONCURRENT, MAX_WAITING, MAX_WAIT_SECONDS = 2, 4, 2.0
RETRY_AFTER_SECONDS = 5  # seconds


class BoundedHashing:
    """Flask-Security's way to hash and verify, `AT_ONCE` at a time in this process."""

    def __init__(self, context: Any) -> None:  # passlib's CryptContext, which has no types
        self._context = context
        self._slots = threading.BoundedSemaphore(MAX_CONCURRENT)
        self._queue = threading.BoundedSemaphore(MAX_CONCURRENT + MAX_WAITING)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        """Raises `ServiceUnavailable` where there is none."""
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
        """Whether it was made with other parameters than are usual now."""
        return bool(self._context.needs_update(hashed))

    def identify(self, hashed: str) -> str | None:
        """The name of the method that made it."""
        method: str | None = self._context.identify(hashed)
        return method


def make_hash(password: str) -> str:
    """The hash of a password, as Flask-Security reads it when people sign in."""
    made: str = hash_password(_normalise(password))
    return made


def verify_hash(password: str, password_hash: str) -> bool:
    """Whether this is the password with that hash."""
    return bool(verify_password(_normalise(password), password_hash))


def _normalise(password: str) -> str:
    return unicodedata.normalize("NFKD", password)
