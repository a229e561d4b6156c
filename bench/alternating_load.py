"""Two servers under the same load by turns, so that whatever else the machine does strikes both."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.load_generator import send_requests
from bench.servers import RunningServer

ROUND_SECONDS = 2.0
ROUNDS = 5
FIELD_WIDTH = 9


@dataclass
class LoadResults:
    """What came of the rounds with one server: of each, answers a second by the clock, answers a
    second of its own processor time, and the 99th percentile of how long an answer took (ms).
    """

    rates: list[float] = field(default_factory=list)
    rates_per_cpu_second: list[float] = field(default_factory=list)
    p99_milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def run_round(self, server: RunningServer, requests: Iterator[bytes]) -> None:
        """One round."""
        before = cpu_seconds(server.process_id)
        outcome = send_requests(server.port, requests, ROUND_SECONDS)
        used = cpu_seconds(server.process_id) - before
        self.rates.append(outcome.rate)
        self.rates_per_cpu_second.append(len(outcome.response_seconds) / max(used, 0.01))
        self.p99_milliseconds.append(outcome.percentile(0.99))
        self.statuses += outcome.statuses

    def summarise(self, baseline: "LoadResults | None" = None) -> str:
        """The medians; and what share of those of `baseline` they are."""
        words = (
            f"{median(self.rates):7,.0f} /s  p99 {median(self.p99_milliseconds):4.0f} ms"
            f"  {median(self.rates_per_cpu_second):7,.0f} /s of processor"
        )
        if baseline is None:
            return words
        clock = median(map(_ratio, self.rates, baseline.rates))
        processor = median(map(_ratio, self.rates_per_cpu_second, baseline.rates_per_cpu_second))
        return f"{words}  {clock:5.0%}, {processor:.0%} of processor"


def alternate(
    one: RunningServer,
    other: RunningServer,
    requests: Callable[[], tuple[Iterable[bytes], Iterable[bytes]]],
) -> tuple[LoadResults, LoadResults]:
    """Rounds with the one and the other; `requests` gives what each is asked in a round."""
    first, second = LoadResults(), LoadResults()
    for _ in range(ROUNDS):
        for rounds, server, asked in zip((first, second), (one, other), requests(), strict=True):
            rounds.run_round(server, iter(asked))
    return first, second


def cpu_seconds(process: int) -> float:
    """The processor time that a process has used. Linux only; elsewhere the clock's."""
    try:
        told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return time.perf_counter()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def _ratio(part: float, whole: float) -> float:
    return part / whole
