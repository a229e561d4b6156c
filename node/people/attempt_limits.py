"""How often somebody may try to sign in. Counted in this process only; see docs/decisions."""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

WINDOW_SECONDS = 15 * 60.0
# One person may mistype; a whole council may sit behind one address. Nobody tries an account from
# so many addresses but whoever guesses.
MAX_PER_PERSON, MAX_PER_ADDRESS, MAX_PER_ACCOUNT = 10, 100, 50
MAX_NAMES = 10_000


class AttemptLimiter:
    """Counts tries by name: `most` of them in any `window` seconds.

    It remembers so many names and no more, each by its hash, since names may be long; of the rest,
    those that tried last longest ago go.
    """

    def __init__(
        self,
        most: int,
        window: float = WINDOW_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        names: int = MAX_NAMES,
    ) -> None:
        self._limit, self._window, self._clock, self._names = most, window, clock, names
        self._attempts: OrderedDict[bytes, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def hit(self, name: str) -> float:
        """Count a try of `name`, or say in how many seconds it may try: 0 where it may now.

        It is counted before its outcome is known, so that trying many at once gains nothing.
        """
        key = _key(name)
        with self._lock:
            moment = self._clock()
            tried = [at for at in self._attempts.pop(key, []) if at > moment - self._window]
            wait = tried[0] + self._window - moment if len(tried) >= self._limit else 0.0
            if not wait:
                tried.append(moment)
            self._attempts[key] = tried
            if len(self._attempts) > self._names:
                self._attempts.popitem(last=False)
        return wait

    def undo(self, name: str) -> None:
        """The last try of `name` does not count: it succeeded."""
        with self._lock:
            if tried := self._attempts.get(_key(name)):
                tried.pop()

    def reset(self, name: str) -> None:
        """None of the tries of `name` count."""
        with self._lock:
            self._attempts.pop(_key(name), None)


def _key(name: str) -> bytes:
    return hashlib.sha256(name.encode(errors="surrogatepass")).digest()


@dataclass(frozen=True)
class SignInAttempt:
    """Who tries to sign in: from which address, as whom, and on which device, if that account was
    used on it before; empty otherwise.
    """

    address: str
    email: str
    device: str = ""


class SignInLimiter:
    """The tries of people: each from one address, of that address altogether, and of one account
    from everywhere. Whoever is on a device that they used before is counted by that alone, so that
    no stranger keeps them out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._people = AttemptLimiter(MAX_PER_PERSON, clock=clock)
        self._addresses = AttemptLimiter(MAX_PER_ADDRESS, clock=clock)
        self._accounts = AttemptLimiter(MAX_PER_ACCOUNT, clock=clock)
        self._devices = AttemptLimiter(MAX_PER_PERSON, clock=clock)

    def hit(self, who: SignInAttempt) -> float:
        """Count a try, or say in how many seconds there may be one: 0 where it may be now."""
        return next(filter(None, (tries.hit(name) for tries, name in self._limiters_for(who))), 0.0)

    def undo(self, who: SignInAttempt) -> None:
        """The last try does not count."""
        for tries, name in self._limiters_for(who):
            tries.undo(name)

    def record_success(self, who: SignInAttempt) -> None:
        """The last try does not count, nor do those before it of the same person."""
        self.undo(who)
        own, name = self._limiters_for(who)[0]
        own.reset(name)

    def _limiters_for(self, who: SignInAttempt) -> list[tuple[AttemptLimiter, str]]:
        """By what a try is counted, in this order: what is refused is counted by nothing that
        follows, so that no single address uses up the tries of an account.
        """
        where, email = network_of(who.address), who.email.casefold()
        if who.device:
            return [(self._devices, f"{who.device} {email}")]
        return [
            (self._people, f"{where} {email}"),
            (self._accounts, email),
            (self._addresses, where),
        ]


def network_of(address: str) -> str:
    """What one household or office has: an IPv4 address, or the first half of an IPv6 address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)
