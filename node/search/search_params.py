"""Search parameters as they appear in a query string: text, facets, date ranges and order.

Pages, saved searches, feeds and the API share the same dataclass.
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
# Accepted in any choice, where API clients want to say that they set no filter.
ANY_VALUE = "all"


class _InvalidParamError(Exception):
    """A value that cannot be read; `text` tells the user what to enter."""

    def __init__(self, text: Message) -> None:
        super().__init__(text)
        self.message = text


def _text_field(kind: str = "text", **metadata: object) -> Any:
    return field(default="", metadata={"kind": kind, **metadata})


def _choices_field(choices: Iterable[str]) -> Any:
    return field(default=(), metadata={"kind": "choices", "choices": tuple(choices)})


def _date_field() -> Any:
    return field(default=None, metadata={"kind": "day"})


def _number_field() -> Any:
    return field(default=None, metadata={"kind": "number"})


@dataclass(frozen=True)
class SearchParams:
    """What to search for; the empty search finds everything. Field names are parameter names."""

    q: str = _text_field()
    origin: str = _text_field("choice", choices=ORIGINS)
    council: int | None = _number_field()
    region: str = _text_field()
    phase: tuple[str, ...] = _choices_field(phase.value for phase in Phase)
    capability: str = _text_field()
    area: str = _text_field()
    lgsl: int | None = _number_field()
    tag: str = _text_field()
    technology: str = _text_field()
    skill: str = _text_field()
    budget: tuple[str, ...] = _choices_field(band.value for band in Budget)
    collaboration: tuple[str, ...] = _choices_field(level.value for level in Collaboration)
    freshness: tuple[str, ...] = _choices_field(state.value for state in Freshness)
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
        """The order of results: the one selected, or else best match for text, last changed."""
        if self.sort and not (self.sort == "relevance" and not self.q):
            return self.sort
        return "relevance" if self.q else "updated"

    @property
    def chosen_order(self) -> str:
        """The selected order, or "" for last changed first."""
        return self.order if self.sort and self.order != "updated" else ""

    @property
    def is_narrowed(self) -> bool:
        """Whether any filter or text is set."""
        return replace(self, sort="") != SearchParams()

    @property
    def includes_archived(self) -> bool:
        """Whether the results may include archived projects."""
        return bool(self.show) or Freshness.archived in self.freshness

    def to_pairs(self) -> list[tuple[str, str]]:
        """The parameters that are set, as pairs for a query string."""
        pairs: list[tuple[str, str]] = []
        for item in fields(self):
            value = getattr(self, item.name)
            values = value if isinstance(value, tuple) else (value,)
            pairs += [(item.name, str(value)) for value in values if value not in ("", None)]
        return pairs

    def without(self, name: str, value: str) -> "SearchParams":
        """The same search without one value of one parameter."""
        current: Any = getattr(self, name)
        remaining: Any = None if isinstance(current, date | int) else ""
        if isinstance(current, tuple):
            remaining = tuple(selected for selected in current if selected != value)
        return replace(self, **{name: remaining})

    @property
    def query_string(self) -> str:
        return urlencode(self.to_pairs())


def from_query_string(query: str) -> SearchParams:
    """The search in the query string of a saved search. Values no longer valid are ignored."""
    return parse(parse_qsl(query, max_num_fields=100))[0]


def parse(
    pairs: Iterable[tuple[str, str]], *, strictly: bool = False
) -> tuple[SearchParams, InvalidInputError | None]:
    """Read the parameters of a query string.

    Returns the search without the values that cannot be read, and an error that names them, or
    None. An unknown word for a parameter with fixed choices is ignored, or an error if `strictly`.
    """
    values_by_name: dict[str, list[str]] = {}
    for name, value in pairs:
        values_by_name.setdefault(name, []).append(value.strip()[:MAX_LEN_VALUE])
    parsed: dict[str, object] = {}
    errors: dict[str, Message] = {}
    for item in fields(SearchParams):
        values = [
            value
            for value in values_by_name.get(item.name, [])[:MAX_VALUES]
            if value and "\0" not in value
        ]
        if values:
            try:
                if strictly:
                    _require_choice(values, item.metadata)
                parsed[item.name] = _PARSERS[item.metadata["kind"]](values, item.metadata)
            except _InvalidParamError as error:
                errors[item.name] = error.message
    params = SearchParams(**parsed)  # type: ignore[arg-type]  # the parsers return each field's type
    errors |= _reversed_ranges(params)
    if errors:
        return params, InvalidInputError(msg("Some search filters are not valid."), errors)
    return params, None


def _reversed_ranges(params: SearchParams) -> dict[str, Message]:
    errors = {}
    for name in ("starts", "ends", "contract", "updated"):
        first, last = getattr(params, f"{name}_from"), getattr(params, f"{name}_to")
        if first and last and last < first:
            errors[f"{name}_to"] = msg("Last day must be the same as or after the first day")
    return errors


def _require_choice(values: list[str], metadata: Mapping[str, Any]) -> None:
    choices = metadata.get("choices")
    if choices and not set(values) <= {*choices, ANY_VALUE}:
        raise _InvalidParamError(
            msg("Value must be one of these: %(words)s", words=", ".join(choices))
        )


def _parse_text(values: list[str], _metadata: Mapping[str, object]) -> str:
    return " ".join(values[0].split())


def _parse_choice(values: list[str], metadata: Mapping[str, Any]) -> str:
    return values[0] if values[0] in metadata["choices"] else ""


def _parse_choices(values: list[str], metadata: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(choice for choice in metadata["choices"] if choice in values)


def _parse_number(values: list[str], _metadata: Mapping[str, object]) -> int | None:
    """The number at the start of the value: 57 for `57 Council tax`, as suggested to users."""
    digits = re.match(r"[0-9]{1,9}(?![0-9])", values[0])
    if digits is None:
        raise _InvalidParamError(msg("Enter a number, or choose one from the list"))
    return int(digits[0])


def _parse_date(values: list[str], _metadata: Mapping[str, object]) -> date:
    """A date in ISO 8601, or as people in Britain write it: 27/3/2026."""
    british = DATE_PATTERN.fullmatch(values[0])
    try:
        if british:
            day, month, year = (int(number) for number in british.groups())
            parsed = date(year, month, day)
        else:
            parsed = date.fromisoformat(values[0])
    except ValueError:
        raise _InvalidParamError(msg("Enter a real date, for example 27/3/2026")) from None
    if not 1970 <= parsed.year <= 2999:
        raise _InvalidParamError(msg("Year must be between 1970 and 2999"))
    return parsed


def _parse_facets(values: list[str], _metadata: Mapping[str, object]) -> tuple[str, ...]:
    """Values of plugins' facets: `plugin.facet:value`."""
    return tuple(dict.fromkeys(value for value in values if FACET_PATTERN.fullmatch(value)))


_PARSERS = {
    "facets": _parse_facets,
    "text": _parse_text,
    "choice": _parse_choice,
    "choices": _parse_choices,
    "number": _parse_number,
    "day": _parse_date,
}
