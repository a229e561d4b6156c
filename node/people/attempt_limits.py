"""Rate limits for sign-in attempts, counted in this process only; see docs/decisions."""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

WINDOW_SECONDS = 15 * 60.0
# A whole council may sit behind one address. Only an attacker tries one account from so many
# addresses that the last limit is reached.
MAX_PER_PERSON, MAX_PER_ADDRESS, MAX_PER_ACCOUNT = 10, 100, 50
MAX_NAMES = 10_000


class AttemptLimiter:
    """Sliding-window rate limiter: `limit` attempts per name in any `window` seconds.

    Holds at most `names` names, as hashes, since names may be long; the one whose last attempt is
    the oldest is dropped.
    """

    def __init__(
        self,
        limit: int,
        window: float = WINDOW_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        max_names: int = MAX_NAMES,
    ) -> None:
        self._limit, self._window, self._clock, self._max_names = limit, window, clock, max_names
        self._attempts: OrderedDict[bytes, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def hit(self, name: str) -> float:
        """Count an attempt and return 0, or return the seconds until the next one is allowed.

        An attempt is counted before its outcome is known, so that parallel attempts are limited.
        """
        key = _key(name)
        with self._lock:
            current = self._clock()
            attempts = [at for at in self._attempts.pop(key, []) if at > current - self._window]
            wait = attempts[0] + self._window - current if len(attempts) >= self._limit else 0.0
            if not wait:
                attempts.append(current)
            self._attempts[key] = attempts
            if len(self._attempts) > self._max_names:
                self._attempts.popitem(last=False)
        return wait

    def undo(self, name: str) -> None:
        """Discount the last attempt of `name`."""
        with self._lock:
            if attempts := self._attempts.get(_key(name)):
                attempts.pop()

    def reset(self, name: str) -> None:
        """Discount all attempts of `name`."""
        with self._lock:
            self._attempts.pop(_key(name), None)


def _key(name: str) -> bytes:
    return hashlib.sha256(name.encode(errors="surrogatepass")).digest()


@dataclass(frozen=True)
class SignInAttempt:
    """An attempt to sign in, from an IP address, to the account `email`. `device` is the digest of
    the device's secret if the account was used on that device before, else empty.
    """

    address: str
    email: str
    device: str = ""


class SignInLimiter:
    """Limits sign-in attempts per account and address, per address, and per account. Attempts on a
    known device are limited per device alone, so that strangers cannot lock a user out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._people = AttemptLimiter(MAX_PER_PERSON, clock=clock)
        self._addresses = AttemptLimiter(MAX_PER_ADDRESS, clock=clock)
        self._accounts = AttemptLimiter(MAX_PER_ACCOUNT, clock=clock)
        self._devices = AttemptLimiter(MAX_PER_PERSON, clock=clock)

    def hit(self, attempt: SignInAttempt) -> float:
        """Count an attempt and return 0, or return the seconds until the next one is allowed."""
        waits = (limiter.hit(name) for limiter, name in self._limiters_for(attempt))
        return next(filter(None, waits), 0.0)

    def undo(self, attempt: SignInAttempt) -> None:
        """Discount the last attempt."""
        for limiter, name in self._limiters_for(attempt):
            limiter.undo(name)

    def record_success(self, attempt: SignInAttempt) -> None:
        """Discount the last attempt, and the earlier ones of the same person."""
        self.undo(attempt)
        limiter, name = self._limiters_for(attempt)[0]
        limiter.reset(name)

    def _limiters_for(self, attempt: SignInAttempt) -> list[tuple[AttemptLimiter, str]]:
        """The limiters that apply, each with the name to count, in order. An attempt that one
        refuses is not counted by the next, so one address cannot use up an account's attempts.
        """
        network, email = network_of(attempt.address), attempt.email.casefold()
        if attempt.device:
            return [(self._devices, f"{attempt.device} {email}")]
        return [
            (self._people, f"{network} {email}"),
            (self._accounts, email),
            (self._addresses, network),
        ]


def network_of(address: str) -> str:
    """The network of one household or office: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)
