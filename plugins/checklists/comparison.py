"""Comparing: councils with one another, and one thing with what it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plugins.checklists.definitions.model import CHOICE, YES_NO, YES_NO_ANSWERS, Checklist, Question
from plugins.checklists.federate import SharedRun
from plugins.checklists.models import Run
from plugins.checklists.progress import RunProgress

# So many runs stand beside one another.
MAX_RUNS = 5


@dataclass(frozen=True)
class ComparisonRow:
    """One question, and who gave which answer to it: in the order in which it can be answered, or
    of the answers themselves.
    """

    question: Question
    given: Mapping[str, Sequence[SharedRun]]

    @property
    def total(self) -> int:
        return sum(map(len, self.given.values()))


def compare_councils(checklist: Checklist, shared: Sequence[SharedRun]) -> list[ComparisonRow]:
    """Question by question. What nobody answered is left out."""
    rows = []
    for question in checklist.questions:
        answered = [each for each in shared if each.answers.get(question.id)]
        every = {each.answers[question.id] for each in answered}
        order = question.answers if question.kind in (YES_NO, CHOICE) else sorted(every)
        given = {
            answer: [each for each in answered if each.answers[question.id] == answer]
            for answer in order
            if answer in every
        }
        if given:
            rows.append(ComparisonRow(question, given))
    return rows


@dataclass(frozen=True)
class ProgressBar:
    """One run, as a bar: how many questions have which answer, as places on a line of `WIDTH`."""

    run: Run
    progress: RunProgress
    pieces: Sequence[tuple[str, int, float, float]]


BAR_WIDTH = 300


def build_bars(series: Sequence[tuple[Run, RunProgress]]) -> list[ProgressBar]:
    """Oldest first. What cannot apply, and what is not answered, is left open at the end."""
    found = []
    for run, progress in series:
        total, begins, pieces = max(progress.total, 1), 0.0, []
        for answer in YES_NO_ANSWERS[:3]:
            number = progress.counts[answer]
            length = round(BAR_WIDTH * number / total, 1)
            if number:
                pieces.append((answer, number, begins, length))
            begins = round(begins + length, 1)
        found.append(ProgressBar(run, progress, pieces))
    return found
