"""Compares the answers of councils with each other, and the runs about one subject over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plugins.checklists.definitions.checklist import (
    CHOICE,
    YES_NO,
    YES_NO_ANSWERS,
    Checklist,
    Question,
)
from plugins.checklists.federate import SharedAssessment
from plugins.checklists.models import Assessment
from plugins.checklists.progress import AssessmentProgress

# Runs in one comparison over time.
MAX_BARS = 5


@dataclass(frozen=True)
class ComparisonRow:
    """One question and the shared runs by answer, in the order of the question's options."""

    question: Question
    shared_by_answer: Mapping[str, Sequence[SharedAssessment]]

    @property
    def total(self) -> int:
        return sum(map(len, self.shared_by_answer.values()))


def compare_councils(
    checklist: Checklist, shared_assessments: Sequence[SharedAssessment]
) -> list[ComparisonRow]:
    """A row for each question that at least one council answered."""
    rows = []
    for question in checklist.questions:
        answered_runs = [run for run in shared_assessments if run.answers.get(question.id)]
        given_answers = {run.answers[question.id] for run in answered_runs}
        order = question.answers if question.kind in (YES_NO, CHOICE) else sorted(given_answers)
        runs_by_answer = {
            answer: [run for run in answered_runs if run.answers[question.id] == answer]
            for answer in order
            if answer in given_answers
        }
        if runs_by_answer:
            rows.append(ComparisonRow(question, runs_by_answer))
    return rows


@dataclass(frozen=True)
class ProgressBar:
    """One run as a bar. `pieces` are `(answer, count, offset, length)`, in units of an axis of
    `BAR_WIDTH`.
    """

    assessment: Assessment
    progress: AssessmentProgress
    pieces: Sequence[tuple[str, int, float, float]]


BAR_WIDTH = 300


def build_bars(series: Sequence[tuple[Assessment, AssessmentProgress]]) -> list[ProgressBar]:
    """A bar for each run, in the given order. Questions not answered, or not applicable, are left
    blank at the end.
    """
    bars = []
    for run, progress in series:
        total, offset, pieces = max(progress.total, 1), 0.0, []
        for answer in YES_NO_ANSWERS[:3]:
            count = progress.counts[answer]
            length = round(BAR_WIDTH * count / total, 1)
            if count:
                pieces.append((answer, count, offset, length))
            offset = round(offset + length, 1)
        bars.append(ProgressBar(run, progress, pieces))
    return bars
