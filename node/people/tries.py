"""How often somebody may try to sign in. Counted in this process only; see docs/decisions."""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

WINDOW = 15 * 60.0
# One person may mistype; a whole council may sit behind one address.
PER_PERSON, PER_ADDRESS = 10, 100
MOST_NAMES = 10_000


class Tries:
    """Counts tries by name: `most` of them in any `window` seconds.

    It remembers so many names and no more, each by its hash, since names may be long; of the rest,
    those that tried last longest ago go.
    """

    def __init__(
        self,
        most: int,
        window: float = WINDOW,
        clock: Callable[[], float] = time.monotonic,
        names: int = MOST_NAMES,
    ) -> None:
        self._most, self._window, self._clock, self._names = most, window, clock, names
        self._tried: OrderedDict[bytes, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, name: str) -> float:
        """Count a try of `name`, or say in how many seconds it may try: 0 where it may now.

        It is counted before its outcome is known, so that trying many at once gains nothing.
        """
        key = _key(name)
        with self._lock:
            moment = self._clock()
            tried = [at for at in self._tried.pop(key, []) if at > moment - self._window]
            wait = tried[0] + self._window - moment if len(tried) >= self._most else 0.0
            if not wait:
                tried.append(moment)
            self._tried[key] = tried
            if len(self._tried) > self._names:
                self._tried.popitem(last=False)
        return wait

    def undo(self, name: str) -> None:
        """The last try of `name` does not count: it succeeded."""
        with self._lock:
            if tried := self._tried.get(_key(name)):
                tried.pop()

    def forget(self, name: str) -> None:
        """None of the tries of `name` count."""
        with self._lock:
            self._tried.pop(_key(name), None)


def _key(name: str) -> bytes:
    return hashlib.sha256(name.encode(errors="surrogatepass")).digest()


class SignInTries:
    """The tries of people, each from one address, and of addresses altogether."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._people = Tries(PER_PERSON, clock=clock)
        self._addresses = Tries(PER_ADDRESS, clock=clock)

    def begin(self, address: str, email: str) -> float:
        """Count a try, or say in how many seconds there may be one: 0 where it may be now."""
        where = origin(address)
        return self._addresses.begin(where) or self._people.begin(f"{where} {email.casefold()}")

    def succeeded(self, address: str, email: str) -> None:
        where = origin(address)
        self._addresses.undo(where)
        self._people.forget(f"{where} {email.casefold()}")


def origin(address: str) -> str:
    """What one household or office has: an IPv4 address, or the first half of an IPv6 address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)
