"""The model of a checklist. Only `parsing` creates one, so all of them are valid."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

YES_NO, CHOICE, TEXT, NUMBER, DATE = QUESTION_TYPES = ("yes-no", "choice", "text", "number", "date")
YES, PARTLY, NO, NOT_APPLICABLE = YES_NO_ANSWERS = ("yes", "partly", "no", "not-applicable")
# Answers that open an action.
NEGATIVE_ANSWERS = (PARTLY, NO)
# Types of questions that other questions may depend on.
CONDITION_TYPES = (YES_NO, CHOICE)


@dataclass(frozen=True)
class BilingualText:
    """A text in English and, if it was translated, in Welsh."""

    en: str
    cy: str = ""

    def in_language(self, language: str) -> str:
        """The text in this language, or in English if there is no translation."""
        return self.cy if language == "cy" and self.cy else self.en

    def language(self, language: str) -> str:
        """The language of the text that `in_language` returns."""
        return "cy" if language == "cy" and self.cy else "en"


NO_TEXT = BilingualText("")


@dataclass(frozen=True)
class Source:
    """The publication that a checklist is based on."""

    title: str
    publisher: str = ""
    published: str = ""
    url: str = ""


@dataclass(frozen=True)
class AnswerOption:
    """One of the answers to a question of type `choice`."""

    id: str
    text: BilingualText


@dataclass(frozen=True)
class DisplayCondition:
    """Holds if the answer to `question` is one of `answers`."""

    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """One question. `id` never changes, because answers are stored by it.

    `placeholders` names the parts (text, recommendation) that are not written yet.
    """

    id: str
    kind: str
    text: BilingualText
    guidance: BilingualText = NO_TEXT
    recommendation: BilingualText = NO_TEXT
    options: tuple[AnswerOption, ...] = ()
    shown_when: DisplayCondition | None = None
    placeholders: tuple[str, ...] = ()

    @property
    def is_asked(self) -> bool:
        """Whether it can be answered: only once its text is written."""
        return "text" not in self.placeholders

    @property
    def has_recommendation(self) -> bool:
        """Whether there is a recommendation to show: one that is not written yet is not."""
        return bool(self.recommendation.en) and "recommendation" not in self.placeholders

    @property
    def answers(self) -> tuple[str, ...]:
        """The possible answers; empty for text, numbers and dates."""
        if self.kind == YES_NO:
            return YES_NO_ANSWERS
        return tuple(option.id for option in self.options)

    def option_text(self, answer: str) -> BilingualText | None:
        return next((option.text for option in self.options if option.id == answer), None)


@dataclass(frozen=True)
class ChecklistSection:
    """A group of questions."""

    id: str
    title: BilingualText
    questions: tuple[Question, ...]
    about: BilingualText = NO_TEXT


@dataclass(frozen=True)
class Advice:
    """A recommendation for the checklist as a whole, not for one question."""

    id: str
    text: BilingualText
    is_placeholder: bool = False


@dataclass(frozen=True)
class Checklist:
    """One version of a checklist. `licence` is the SPDX identifier of the licence for its texts."""

    id: str
    version: int
    title: BilingualText
    about: BilingualText
    source: Source
    licence: str
    sections: tuple[ChecklistSection, ...]
    advice: tuple[Advice, ...] = ()

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        return tuple(question for section in self.sections for question in section.questions)

    @cached_property
    def by_id(self) -> Mapping[str, Question]:
        return {question.id: question for question in self.questions}

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages in which all texts are available."""
        return ("en", "cy") if all(text.cy for text in self.all_texts() if text.en) else ("en",)

    def all_texts(self) -> Iterator[BilingualText]:
        """Every text, for checking translations."""
        yield from (self.title, self.about)
        for section in self.sections:
            yield from (section.title, section.about)
            for question in section.questions:
                yield from (question.text, question.guidance, question.recommendation)
                yield from (option.text for option in question.options)
        yield from (advice.text for advice in self.advice)

    def placeholders(self) -> list[str]:
        """The places of texts that are not written yet, such as `q5.recommendation`."""
        places = [
            f"{question.id}.{part}" for question in self.questions for part in question.placeholders
        ]
        return places + [advice.id for advice in self.advice if advice.is_placeholder]

    def visible_questions(self, answers: Mapping[str, str]) -> list[Question]:
        """The questions to ask, given the answers so far."""
        visible: list[Question] = []
        for question in self.questions:
            if question.is_asked and _is_met(question.shown_when, answers, visible):
                visible.append(question)
        return visible


def _is_met(
    condition: DisplayCondition | None, answers: Mapping[str, str], shown: list[Question]
) -> bool:
    """A question that is not shown itself does not count, even if it has an answer from before."""
    return condition is None or (
        answers.get(condition.question) in condition.answers
        and any(question.id == condition.question for question in shown)
    )
