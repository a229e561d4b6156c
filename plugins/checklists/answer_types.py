"""What each type of question is answered with, as it is kept: a text, whatever the type."""

from datetime import date
from decimal import Decimal, InvalidOperation

from node.api import InvalidInputError, misfit, msg, trim
from plugins.checklists.definitions.model import CHOICE, DATE, NUMBER, YES_NO, Question

MAX_LEN_ANSWER = 2_000
MAX_NUMBER = Decimal(10) ** 15
MAX_DECIMALS = 6


def normalise_answer(question: Question, given: str | date | None) -> str:
    """An answer as it is kept; empty for none. Raises `InvalidInputError`, about `answer`."""
    text = given.isoformat() if isinstance(given, date) else (given or "").strip()
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
    """Whether an answer to another version of a question answers this one."""
    try:
        return normalise_answer(question, answer) == answer
    except InvalidInputError:
        return False


def clean_text(text: str, most: int, field: str) -> str:
    """A text of several lines. Raises `InvalidInputError`."""
    text = trim(text)
    if why := misfit(text, most, lines=True):
        raise answer_error(why, field)
    return text


def answer_error(what: str, field: str = "answer") -> InvalidInputError:
    return InvalidInputError(msg("The answer could not be saved."), {field: what})  # type: ignore[dict-item]


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
