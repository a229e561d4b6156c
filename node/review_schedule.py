"""When projects are to be looked at again, and what follows if nobody does: read from settings.

All is counted in weeks from the day on which the review of a project falls due.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node.errors import SettingsError

# Nobody plans for longer.
MAX_WEEKS = 520


@dataclass(frozen=True)
class ReviewSchedule:
    """`intervals` are the weeks between reviews by the word of a phase; a phase without needs none.
    `nudges` are the weeks after which the owner is reminded. Then a project counts as stale, the
    coordinators hear of it, and it goes to the archive.
    """

    interval_weeks: Mapping[str, int]
    nudge_weeks: tuple[int, ...]
    stale_weeks: int
    escalate_weeks: int
    archive_weeks: int


def parse_intervals(said: Sequence[str]) -> dict[str, int]:
    """`phase:weeks` pairs, read. Raises `SettingsError`."""
    found = {}
    for pair in said:
        phase, _, weeks = pair.partition(":")
        if not phase.isalpha() or not phase.islower():
            raise SettingsError(
                f"review_weeks must be phase:weeks pairs, such as beta:13: {pair!r}."
            )
        found[phase] = _parse_weeks("review_weeks", weeks)
    return found


def parse_nudge_weeks(said: Sequence[str]) -> tuple[int, ...]:
    """Numbers of weeks, read and in their order. Raises `SettingsError`."""
    return tuple(sorted({_parse_weeks("nudge_weeks", each) for each in said}))


def _parse_weeks(setting: str, text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not 1 <= number <= MAX_WEEKS:
        raise SettingsError(f"{setting} must hold weeks from 1 to {MAX_WEEKS}: {text!r}.")
    return number
