"""Two servers under the same load by turns, so that whatever else the machine does strikes both."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.load import load
from bench.servers import Server

SECONDS = 2.0
ROUNDS = 5
FIELD_WIDTH = 9


@dataclass
class Rounds:
    """What came of the rounds with one server: of each, answers a second by the clock, answers a
    second of its own processor time, and the 99th percentile of how long an answer took (ms).
    """

    rates: list[float] = field(default_factory=list)
    by_processor: list[float] = field(default_factory=list)
    slowest: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def play(self, server: Server, requests: Iterator[bytes]) -> None:
        """One round."""
        before = processor_seconds(server.process)
        outcome = load(server.port, requests, SECONDS)
        used = processor_seconds(server.process) - before
        self.rates.append(outcome.rate)
        self.by_processor.append(len(outcome.took) / max(used, 0.01))
        self.slowest.append(outcome.percentile(0.99))
        self.statuses += outcome.statuses

    def told(self, beside: "Rounds | None" = None) -> str:
        """The medians; and what share of those of `beside` they are."""
        words = (
            f"{median(self.rates):7,.0f} /s  p99 {median(self.slowest):4.0f} ms"
            f"  {median(self.by_processor):7,.0f} /s of processor"
        )
        if beside is None:
            return words
        clock = median(map(_share, self.rates, beside.rates))
        processor = median(map(_share, self.by_processor, beside.by_processor))
        return f"{words}  {clock:5.0%}, {processor:.0%} of processor"


def by_turns(
    one: Server, other: Server, requests: Callable[[], tuple[Iterable[bytes], Iterable[bytes]]]
) -> tuple[Rounds, Rounds]:
    """Rounds with the one and the other; `requests` gives what each is asked in a round."""
    first, second = Rounds(), Rounds()
    for _ in range(ROUNDS):
        for rounds, server, asked in zip((first, second), (one, other), requests(), strict=True):
            rounds.play(server, iter(asked))
    return first, second


def processor_seconds(process: int) -> float:
    """The processor time that a process has used. Linux only; elsewhere the clock's."""
    try:
        told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return time.perf_counter()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def _share(part: float, whole: float) -> float:
    return part / whole
