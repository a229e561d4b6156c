"""What a checklist holds. `reading` makes one from a file; nothing else does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

YES_NO, CHOICE, TEXT, NUMBER, DATE = QUESTION_TYPES = ("yes-no", "choice", "text", "number", "date")
YES, PARTLY, NO, NOT_APPLICABLE = YES_NO_ANSWERS = ("yes", "partly", "no", "not-applicable")
# What is to be done something about.
NEGATIVE_ANSWERS = (PARTLY, NO)
# On whose answers another question may depend.
CONDITION_TYPES = (YES_NO, CHOICE)


@dataclass(frozen=True)
class BilingualText:
    """A text in English and, where somebody wrote it, in Welsh."""

    en: str
    cy: str = ""

    def in_language(self, language: str) -> str:
        """In a language, else in English."""
        return self.cy if language == "cy" and self.cy else self.en

    def language(self, language: str) -> str:
        """The language in which `into` answers."""
        return "cy" if language == "cy" and self.cy else "en"


NO_TEXT = BilingualText("")


@dataclass(frozen=True)
class Source:
    """What a checklist is made from."""

    title: str
    publisher: str = ""
    published: str = ""
    url: str = ""


@dataclass(frozen=True)
class AnswerOption:
    """One answer of a single choice."""

    id: str
    text: BilingualText


@dataclass(frozen=True)
class DisplayCondition:
    """Holds where the answer to `question` is one of `answers`."""

    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """`id` stays with a question for good: answers are kept by it. `placeholders` names those of
    its parts (text, recommendation) that nobody has worded yet.
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
        """Whether it can be answered: not before somebody words it."""
        return "text" not in self.placeholders

    @property
    def answers(self) -> tuple[str, ...]:
        """What it may be answered with, where that can be listed."""
        if self.kind == YES_NO:
            return YES_NO_ANSWERS
        return tuple(option.id for option in self.options)

    def option_text(self, answer: str) -> BilingualText | None:
        return next((option.text for option in self.options if option.id == answer), None)


@dataclass(frozen=True)
class ChecklistSection:
    """Questions that belong together."""

    id: str
    title: BilingualText
    questions: tuple[Question, ...]
    about: BilingualText = NO_TEXT


@dataclass(frozen=True)
class Advice:
    """A recommendation that belongs to no one question."""

    id: str
    text: BilingualText
    is_placeholder: bool = False


@dataclass(frozen=True)
class Checklist:
    """One version of a checklist. `licence` is that of its wording (SPDX)."""

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
        """Those in which all of it is there."""
        return ("en", "cy") if all(words.cy for words in self.all_texts() if words.en) else ("en",)

    def all_texts(self) -> Iterator[BilingualText]:
        """All that it says."""
        yield from (self.title, self.about)
        for section in self.sections:
            yield from (section.title, section.about)
            for question in section.questions:
                yield from (question.text, question.guidance, question.recommendation)
                yield from (option.text for option in question.options)
        yield from (advice.text for advice in self.advice)

    def placeholders(self) -> list[str]:
        """What nobody has worded yet, by place."""
        found = [f"{item.id}.{part}" for item in self.questions for part in item.placeholders]
        return found + [advice.id for advice in self.advice if advice.is_placeholder]

    def visible_questions(self, answers: Mapping[str, str]) -> list[Question]:
        """The questions that are asked, given the answers so far."""
        found: list[Question] = []
        for question in self.questions:
            if question.is_asked and _holds(question.shown_when, answers, found):
                found.append(question)
        return found


def _holds(
    condition: DisplayCondition | None, answers: Mapping[str, str], shown: list[Question]
) -> bool:
    """What is not asked itself decides nothing, whatever was once answered."""
    return condition is None or (
        answers.get(condition.question) in condition.answers
        and any(question.id == condition.question for question in shown)
    )
