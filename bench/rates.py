"""How often something can be done in a second."""

import time
from collections.abc import Callable

SECONDS = 3.0


def rate(act: Callable[[], object], seconds: float = SECONDS) -> str:
    """`act` again and again for `seconds`: times a second, on one thread."""
    act()
    count, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        act()
        count += 1
    return f"{count / elapsed:10,.0f} /s"
