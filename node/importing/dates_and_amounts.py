"""Parses dates and amounts of money as people write them in spreadsheets. Pure."""

import re
from datetime import date, datetime

from node.projects.details import Budget

# The day first, as the British write it; a month's name in English.
DATE_FORMATS = (
    *("%Y-%m-%d", "%d-%m-%Y", "%d %m %Y", "%Y %m %d"),
    *("%d %B %Y", "%d %b %Y", "%d %B %y", "%d %b %y", "%d-%m-%y"),
)
WEEKDAY_PATTERN = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? +", re.IGNORECASE)
TIME_PATTERN = re.compile(r"(?:[T ]|, )\d\d?:\d\d.*$")
ORDINAL_PATTERN = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b", re.IGNORECASE)
# Years of dates that were never set, in .NET and in spreadsheets.
UNSET_YEARS = (1, 1900)
MAX_LEN_AMOUNT = 60
AMOUNT_PATTERN = re.compile(
    r"(?P<pounds>£?)(?P<number>\d{1,9}(?:\.\d{1,3})?)(?P<scale>k|m|million|)"
)
UNDER_AMOUNT = re.compile(r"(?:under|up-|lessthan|<)(.{1,20})")
OVER_ONE_MILLION = re.compile(r"over-?£?1(?:m|million|000000)|£?1m\+|>£?1m")
SCALES = {"": 1, "k": 1_000, "m": 1_000_000, "million": 1_000_000}
# Upper limits of the budget bands in pounds, lowest first.
BUDGET_BANDS = (
    (50_000, Budget.to_50k),
    (100_000, Budget.to_100k),
    (250_000, Budget.to_250k),
    (500_000, Budget.to_500k),
    (1_000_000, Budget.to_1m),
)
# Pounds. A smaller number without a sign or scale may be the number of a band, and is ignored.
MIN_AMOUNT = 1_000


def is_unset(day: date) -> bool:
    return day.year in UNSET_YEARS


def parse_date(text: str) -> date | None:
    """The date in a text, which may be followed by a time; None if there is none."""
    plain = ORDINAL_PATTERN.sub(
        "", WEEKDAY_PATTERN.sub("", TIME_PATTERN.sub("", text.strip()), count=1)
    )
    plain = re.sub(r"\bSept\b", "Sep", plain, flags=re.IGNORECASE)
    plain = re.sub(r"[/.-]", "-", plain)
    for candidate in (plain, plain.replace("-", " ")):
        for form in DATE_FORMATS:
            try:
                return datetime.strptime(candidate, form).date()  # noqa: DTZ007 -- a day has no zone
            except ValueError:
                continue
    return None


def parse_budget(text: str) -> Budget | None:
    """The budget band for a text such as “£50-100k”, “£75,000” or the value of a `Budget`."""
    plain = (
        re.sub(r"[,\s]", "", text[:MAX_LEN_AMOUNT].casefold()).replace("–", "-").replace("to", "-")
    )
    if plain in list(Budget):
        return Budget(plain)
    if OVER_ONE_MILLION.fullmatch(plain):
        return Budget.over_1m
    under = UNDER_AMOUNT.fullmatch(plain)
    amounts = [
        AMOUNT_PATTERN.fullmatch(part) for part in (["0", under[1]] if under else plain.split("-"))
    ]
    known = [amount for amount in amounts if amount]
    if len(known) != len(amounts) or len(known) > 2:
        return None
    return _budget_of_amount(known[0]) if len(known) == 1 else _budget_of_range(*known)


def _budget_of_amount(amount: "re.Match[str]") -> Budget | None:
    pounds = _to_pounds(amount, "")
    is_amount = pounds >= MIN_AMOUNT or bool(amount["pounds"] or amount["scale"])
    return _find_band(pounds) if is_amount else None


def _budget_of_range(first: "re.Match[str]", last: "re.Match[str]") -> Budget | None:
    high = _to_pounds(last, "")
    # “50-100k” is in thousands at both ends.
    low = _to_pounds(first, last["scale"] if float(first["number"]) < MIN_AMOUNT else "")
    ends = [0, *(end for end, _ in BUDGET_BANDS)]
    if high not in ends[1:]:
        return None
    begin = ends[ends.index(int(high)) - 1]
    return _find_band(high) if low in (begin, begin + 1) else None


def _to_pounds(amount: "re.Match[str]", scale: str) -> float:
    return float(amount["number"]) * SCALES[amount["scale"] or scale]


def _find_band(pounds: float) -> Budget:
    return next((band for end, band in BUDGET_BANDS if pounds <= end), Budget.over_1m)
