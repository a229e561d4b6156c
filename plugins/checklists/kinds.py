"""What each type of question is answered with, as it is kept: a text, whatever the type."""

from datetime import date
from decimal import Decimal, InvalidOperation

from node.api import InvalidInputError, misfit, say, trim
from plugins.checklists.definitions.model import CHOICE, DATE, NUMBER, YES_NO, Question

LONGEST_ANSWER = 2_000
LARGEST = Decimal(10) ** 15
MOST_DECIMALS = 6


def kept(question: Question, given: str | date | None) -> str:
    """An answer as it is kept; empty for none. Raises `InvalidInputError`, about `answer`."""
    text = given.isoformat() if isinstance(given, date) else (given or "").strip()
    if not text:
        return ""
    if question.kind in (YES_NO, CHOICE):
        if text not in question.answers:
            raise wrong(say("Select an answer"))
        return text
    if question.kind == NUMBER:
        return _number(text)
    if question.kind == DATE:
        return _day(text)
    return plain(text, LONGEST_ANSWER, "answer")


def fits(question: Question, answer: str) -> bool:
    """Whether an answer to another version of a question answers this one."""
    try:
        return kept(question, answer) == answer
    except InvalidInputError:
        return False


def plain(text: str, most: int, field: str) -> str:
    """A text of several lines. Raises `InvalidInputError`."""
    text = trim(text)
    if why := misfit(text, most, lines=True):
        raise wrong(why, field)
    return text


def wrong(what: str, field: str = "answer") -> InvalidInputError:
    return InvalidInputError(say("The answer could not be saved."), {field: what})  # type: ignore[dict-item]


def _number(text: str) -> str:
    try:
        number = Decimal(text.replace(",", "").replace(" ", "")).normalize()
    except InvalidOperation:
        raise wrong(say("Enter a number, like 12 or 3.5")) from None
    if not number.is_finite() or abs(number) >= LARGEST:
        raise wrong(say("Enter a number, like 12 or 3.5"))
    if number != round(number, MOST_DECIMALS):
        raise wrong(say("Answer must have %(most)s decimal places or fewer", most=MOST_DECIMALS))
    return f"{number:f}"


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise wrong(say("Enter a real date, like 27 3 2027")) from None
