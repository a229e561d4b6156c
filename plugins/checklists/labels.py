"""Labels of the constants of checklists, and answers, for people."""

from datetime import date

from flask_babel import format_date
from flask_babel import lazy_gettext as _l

from plugins.checklists.definitions.checklist import (
    CHOICE,
    DATE,
    NO,
    NOT_APPLICABLE,
    NUMBER,
    PARTLY,
    TEXT,
    YES,
    YES_NO,
    Question,
)
from plugins.checklists.models import COUNCIL, PROJECT, SERVICE
from plugins.checklists.progress import COMPLETED, IN_PROGRESS, NOT_STARTED, NOTHING_TO_ASK

YES_NO_LABELS = {
    YES: _l("Yes"),
    PARTLY: _l("Partly"),
    NO: _l("No"),
    NOT_APPLICABLE: _l("Not applicable"),
}
QUESTION_TYPE_LABELS = {
    YES_NO: _l("Yes, partly, no or not applicable"),
    CHOICE: _l("One answer from a list"),
    TEXT: _l("Text"),
    NUMBER: _l("Number"),
    DATE: _l("Date"),
}
SCOPE_LABELS = {
    PROJECT: _l("A project"),
    SERVICE: _l("A service"),
    COUNCIL: _l("The whole council"),
}
STATE_LABELS = {
    NOT_STARTED: _l("Not started"),
    IN_PROGRESS: _l("In progress"),
    COMPLETED: _l("Completed"),
    NOTHING_TO_ASK: _l("No questions to answer"),
}
PLACEHOLDER_LABELS = {"text": _l("Question"), "recommendation": _l("Recommendation")}
CHANGE_LABELS = {
    "added": _l("New question"),
    "removed": _l("No longer asked"),
    "reworded": _l("Reworded: existing answers are kept"),
    "answered-otherwise": _l("Possible answers changed: existing answers may no longer fit"),
}


def answer(question: Question, stored: str, language: str) -> str:
    """A stored answer in words, in this language as far as it is translated."""
    if question.kind == YES_NO and stored in YES_NO_LABELS:
        return str(YES_NO_LABELS[stored])
    if question.kind == CHOICE:
        option = question.option_text(stored)
        return option.in_language(language) if option else stored
    if question.kind == DATE:
        return str(format_date(date.fromisoformat(stored), "d MMMM y")) if stored else ""
    return stored
