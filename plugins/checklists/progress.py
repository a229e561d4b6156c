"""The progress of a run: as a whole and by section."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from plugins.checklists.definitions.checklist import (
    YES_NO,
    YES_NO_ANSWERS,
    Checklist,
    ChecklistSection,
    Question,
)

NOT_STARTED, IN_PROGRESS, COMPLETED, NOTHING_TO_ASK = (
    "not-started",
    "in-progress",
    "completed",
    "nothing-to-ask",
)


@dataclass(frozen=True)
class SectionProgress:
    """A section with its visible questions. `answered` is the number of those with an answer."""

    section: ChecklistSection
    questions: Sequence[Question]
    answered: int

    @property
    def state(self) -> str:
        if not self.questions:
            return NOTHING_TO_ASK
        if self.answered == len(self.questions):
            return COMPLETED
        return IN_PROGRESS if self.answered else NOT_STARTED


@dataclass(frozen=True)
class AssessmentProgress:
    """A checklist and the answers so far, by the id of the question. An empty answer counts as
    none.
    """

    checklist: Checklist
    answers: Mapping[str, str]

    @cached_property
    def questions(self) -> Sequence[Question]:
        """The visible questions."""
        return self.checklist.visible_questions(self.answers)

    @cached_property
    def unanswered(self) -> Sequence[Question]:
        return [question for question in self.questions if not self.answers.get(question.id)]

    @property
    def total(self) -> int:
        return len(self.questions)

    @property
    def answered(self) -> int:
        return self.total - len(self.unanswered)

    @property
    def is_complete(self) -> bool:
        return not self.unanswered

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """The number of visible questions for each of yes, partly, no and not applicable."""
        questions = (question for question in self.questions if question.kind == YES_NO)
        counts = Counter(self.answers.get(question.id) or "" for question in questions)
        return {answer: counts[answer] for answer in YES_NO_ANSWERS}

    def sections(self) -> list[SectionProgress]:
        visible_ids = {question.id for question in self.questions}
        open_ids = {question.id for question in self.unanswered}
        parts = []
        for section in self.checklist.sections:
            questions = [question for question in section.questions if question.id in visible_ids]
            answered = sum(question.id not in open_ids for question in questions)
            parts.append(SectionProgress(section, questions, answered))
        return parts

    def next_question(self, question_id: str) -> Question | None:
        """The next visible question of the same section, or None."""
        for part in self.sections():
            ids = [question.id for question in part.questions]
            if question_id in ids:
                following = part.questions[ids.index(question_id) + 1 :]
                return following[0] if following else None
        return None
