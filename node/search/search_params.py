"""What somebody looks for, as it stands in an address: text, facets, days, an order.

One dataclass for the page, for saved searches and for programs.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

from node.errors import InvalidInputError
from node.messages import Message, msg
from node.projects.details import Budget, Collaboration, Freshness
from node.projects.models import Phase

MAX_LEN_VALUE = 200
MAX_VALUES = 12
DATE_PATTERN = re.compile(r"(\d{1,2})[/. ](\d{1,2})[/. ](\d{4})")
FACET_PATTERN = re.compile(r"[a-z0-9_]{1,40}\.[a-z0-9_-]{1,40}:[a-z0-9_-]{1,40}")
SORTS = ("relevance", "updated", "title", "ends", "contract")
ORIGINS = ("ours", "others")
# What programs may say where people say nothing.
ALL_WORD = "all"


class _InvalidParamError(Exception):
    """What was given for a part is nothing of its kind; `text` says what to do."""

    def __init__(self, text: Message) -> None:
        super().__init__(text)
        self.text = text


def _text_field(kind: str = "text", **more: object) -> Any:
    return field(default="", metadata={"kind": kind, **more})


def _choices_field(choices: Iterable[str]) -> Any:
    return field(default=(), metadata={"kind": "choices", "choices": tuple(choices)})


def _date_field() -> Any:
    return field(default=None, metadata={"kind": "day"})


def _number_field() -> Any:
    return field(default=None, metadata={"kind": "number"})


@dataclass(frozen=True)
class SearchParams:
    """What is looked for; the empty one is everything. Each field is a name in the address."""

    q: str = _text_field()
    origin: str = _text_field("choice", choices=ORIGINS)
    council: int | None = _number_field()
    region: str = _text_field()
    phase: tuple[str, ...] = _choices_field(each.value for each in Phase)
    capability: str = _text_field()
    area: str = _text_field()
    lgsl: int | None = _number_field()
    tag: str = _text_field()
    technology: str = _text_field()
    skill: str = _text_field()
    budget: tuple[str, ...] = _choices_field(each.value for each in Budget)
    collaboration: tuple[str, ...] = _choices_field(each.value for each in Collaboration)
    freshness: tuple[str, ...] = _choices_field(each.value for each in Freshness)
    show: str = _text_field("choice", choices=("archived",))
    facet: tuple[str, ...] = field(default=(), metadata={"kind": "facets"})
    starts_from: date | None = _date_field()
    starts_to: date | None = _date_field()
    ends_from: date | None = _date_field()
    ends_to: date | None = _date_field()
    contract_from: date | None = _date_field()
    contract_to: date | None = _date_field()
    updated_from: date | None = _date_field()
    updated_to: date | None = _date_field()
    sort: str = _text_field("choice", choices=SORTS)

    @property
    def order(self) -> str:
        """The order that was chosen, or the one that fits: the best first where text is asked."""
        if self.sort and not (self.sort == "relevance" and not self.q):
            return self.sort
        return "relevance" if self.q else "updated"

    @property
    def chosen_order(self) -> str:
        """The order that was chosen, where it is another than the last changed first."""
        return self.order if self.sort and self.order != "updated" else ""

    @property
    def is_narrowed(self) -> bool:
        """Whether it is less than everything."""
        return replace(self, sort="") != SearchParams()

    @property
    def includes_archived(self) -> bool:
        """Whether it may be what was archived."""
        return bool(self.show) or Freshness.archived in self.freshness

    def to_pairs(self) -> list[tuple[str, str]]:
        """What it says, as names and values of an address."""
        found: list[tuple[str, str]] = []
        for item in fields(self):
            value = getattr(self, item.name)
            every = value if isinstance(value, tuple) else (value,)
            found += [(item.name, str(each)) for each in every if each not in ("", None)]
        return found

    def without(self, name: str, value: str) -> "SearchParams":
        """The same with one part of it taken away."""
        kept: Any = getattr(self, name)
        left: Any = None if isinstance(kept, date | int) else ""
        if isinstance(kept, tuple):
            left = tuple(each for each in kept if each != value)
        return replace(self, **{name: left})

    @property
    def query_string(self) -> str:
        return urlencode(self.to_pairs())


def from_query_string(query: str) -> SearchParams:
    """A search that was kept. What no longer means anything is left out."""
    return parse(parse_qsl(query, max_num_fields=100))[0]


def parse(
    pairs: Iterable[tuple[str, str]], *, strictly: bool = False
) -> tuple[SearchParams, InvalidInputError | None]:
    """What an address asks for, and what in it cannot be read; that part is left out. `strictly`:
    a word that is no choice cannot be read; without that, it means nothing.
    """
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value.strip()[:MAX_LEN_VALUE])
    found: dict[str, object] = {}
    wrong: dict[str, Message] = {}
    for item in fields(SearchParams):
        values = [
            value for value in given.get(item.name, [])[:MAX_VALUES] if value and "\0" not in value
        ]
        if values:
            try:
                if strictly:
                    _require_choice(values, item.metadata)
                found[item.name] = _PARSERS[item.metadata["kind"]](values, item.metadata)
            except _InvalidParamError as unreadable:
                wrong[item.name] = unreadable.text
    wanted = SearchParams(**found)  # type: ignore[arg-type]  # each as its field says
    wrong |= _reversed_ranges(wanted)
    error = InvalidInputError(msg("Some search filters are not valid."), wrong) if wrong else None
    return wanted, error


def _reversed_ranges(wanted: SearchParams) -> dict[str, Message]:
    wrong = {}
    for name in ("starts", "ends", "contract", "updated"):
        first, last = getattr(wanted, f"{name}_from"), getattr(wanted, f"{name}_to")
        if first and last and last < first:
            wrong[f"{name}_to"] = msg("Last day must be the same as or after the first day")
    return wrong


def _require_choice(values: list[str], more: Mapping[str, Any]) -> None:
    choices = more.get("choices")
    if choices and not set(values) <= {*choices, ALL_WORD}:
        raise _InvalidParamError(
            msg("Value must be one of these: %(words)s", words=", ".join(choices))
        )


def _parse_text(values: list[str], _more: Mapping[str, object]) -> str:
    return " ".join(values[0].split())


def _parse_choice(values: list[str], more: Mapping[str, Any]) -> str:
    return values[0] if values[0] in more["choices"] else ""


def _parse_choices(values: list[str], more: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(each for each in more["choices"] if each in values)


def _parse_number(values: list[str], _more: Mapping[str, object]) -> int | None:
    """The number at the beginning: `57` of `57 Council tax`."""
    digits = re.match(r"[0-9]{1,9}(?![0-9])", values[0])
    if digits is None:
        raise _InvalidParamError(msg("Enter a number, or choose one from the list"))
    return int(digits[0])


def _parse_date(values: list[str], _more: Mapping[str, object]) -> date:
    """A day as browsers send it, or as people write it."""
    written = DATE_PATTERN.fullmatch(values[0])
    try:
        if written:
            day, month, year = (int(each) for each in written.groups())
            found = date(year, month, day)
        else:
            found = date.fromisoformat(values[0])
    except ValueError:
        raise _InvalidParamError(msg("Enter a real date, for example 27/3/2026")) from None
    if not 1970 <= found.year <= 2999:
        raise _InvalidParamError(msg("Year must be between 1970 and 2999"))
    return found


def _parse_facets(values: list[str], _more: Mapping[str, object]) -> tuple[str, ...]:
    """Values of plugins' facets: `plugin.facet:value`."""
    return tuple(dict.fromkeys(each for each in values if FACET_PATTERN.fullmatch(each)))


_PARSERS = {
    "facets": _parse_facets,
    "text": _parse_text,
    "choice": _parse_choice,
    "choices": _parse_choices,
    "number": _parse_number,
    "day": _parse_date,
}
