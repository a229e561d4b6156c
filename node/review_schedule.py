"""The schedule of project reviews and of what follows if a review is missed, from the settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node.errors import SettingsError

# Ten years.
MAX_WEEKS = 520


@dataclass(frozen=True)
class ReviewSchedule:
    """`interval_weeks` maps a phase to the weeks between reviews; other phases need no review. The
    other fields are weeks after the review date: `nudge_weeks` when the owner is reminded, then
    when the project is stale, when the coordinators are notified and when it is archived.
    """

    interval_weeks: Mapping[str, int]
    nudge_weeks: tuple[int, ...]
    stale_weeks: int
    escalate_weeks: int
    archive_weeks: int


def parse_intervals(pairs: Sequence[str]) -> dict[str, int]:
    """Parse `phase:weeks` pairs. Raises `SettingsError`."""
    weeks_by_phase = {}
    for pair in pairs:
        phase, _, weeks = pair.partition(":")
        if not phase.isalpha() or not phase.islower():
            raise SettingsError(
                f"review_weeks must be phase:weeks pairs, such as beta:13: {pair!r}."
            )
        weeks_by_phase[phase] = _parse_weeks("review_weeks", weeks)
    return weeks_by_phase


def parse_nudge_weeks(values: Sequence[str]) -> tuple[int, ...]:
    """Parse numbers of weeks, and sort them. Raises `SettingsError`."""
    return tuple(sorted({_parse_weeks("nudge_weeks", value) for value in values}))


def _parse_weeks(setting: str, text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not 1 <= number <= MAX_WEEKS:
        raise SettingsError(f"{setting} must hold weeks from 1 to {MAX_WEEKS}: {text!r}.")
    return number
