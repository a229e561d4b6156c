"""Validates answers by the type of their question. Answers of all types are stored as text."""

from datetime import date
from decimal import Decimal, InvalidOperation

from node.api import InvalidInputError, find_text_error, msg, trim
from plugins.checklists.definitions.checklist import CHOICE, DATE, NUMBER, YES_NO, Question

# Characters.
MAX_LEN_ANSWER = 2_000
MAX_NUMBER = Decimal(10) ** 15
MAX_DECIMALS = 6


def normalise_answer(question: Question, typed: str | date | None) -> str:
    """An answer as it is stored: ISO 8601 for a date, an id for a choice, an empty string for none.
    Raises `InvalidInputError` about `answer`.
    """
    text = typed.isoformat() if isinstance(typed, date) else (typed or "").strip()
    if not text:
        return ""
    if question.kind in (YES_NO, CHOICE):
        if text not in question.answers:
            raise answer_error(msg("Select an answer"))
        return text
    if question.kind == NUMBER:
        return _normalise_number(text)
    if question.kind == DATE:
        return _normalise_date(text)
    return clean_text(text, MAX_LEN_ANSWER, "answer")


def is_valid_answer(question: Question, answer: str) -> bool:
    """Whether a stored answer to another version of a question also answers this one."""
    try:
        return normalise_answer(question, answer) == answer
    except InvalidInputError:
        return False


def clean_text(text: str, limit: int, field: str) -> str:
    """A trimmed text of several lines. Raises `InvalidInputError` about `field` if it has more than
    `limit` characters.
    """
    text = trim(text)
    if problem := find_text_error(text, limit, lines=True):
        raise answer_error(problem, field)
    return text


def answer_error(problem: str, field: str = "answer") -> InvalidInputError:
    return InvalidInputError(msg("The answer could not be saved."), {field: problem})  # type: ignore[dict-item]


def _normalise_number(text: str) -> str:
    try:
        number = Decimal(text.replace(",", "").replace(" ", "")).normalize()
    except InvalidOperation:
        raise answer_error(msg("Enter a number, like 12 or 3.5")) from None
    if not number.is_finite() or abs(number) >= MAX_NUMBER:
        raise answer_error(msg("Enter a number, like 12 or 3.5"))
    if number != round(number, MAX_DECIMALS):
        raise answer_error(
            msg("Answer must have %(most)s decimal places or fewer", most=MAX_DECIMALS)
        )
    return f"{number:f}"


def _normalise_date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise answer_error(msg("Enter a real date, like 27 3 2027")) from None
