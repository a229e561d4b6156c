"""How often something can be done in a second."""

import time
from collections.abc import Callable

MEASURE_SECONDS = 3.0


def measure_rate(action: Callable[[], object], seconds: float = MEASURE_SECONDS) -> str:
    """`action` again and again for `seconds`: times a second, on one thread."""
    action()
    count, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        action()
        count += 1
    return f"{count / elapsed:10,.0f} /s"
