"""What projects can be narrowed down by, in words, and what was chosen of it."""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask_babel import LazyString, format_date
from flask_babel import lazy_gettext as _l

from node.councils import places
from node.councils.models import Council
from node.freshness import labels as freshness
from node.plugin_declarations import Facet as Declared
from node.plugin_declarations import Label
from node.projects.details import Freshness
from node.projects.forms import PHASE_LABELS
from node.projects.taxonomy import BUDGETS, BUSINESS_AREAS, CAPABILITIES, COLLABORATIONS
from node.search.search_params import SearchParams

PLUGIN_FACET = "facet"
ORIGIN_LABELS = {"ours": _l("This council"), "others": _l("Other councils")}
FRESHNESS_LABELS = {
    **{
        word.value: name
        for word, name in freshness.FRESHNESS_LABELS.items()
        if word is not Freshness.archived
    },
    Freshness.unsaid.value: _l("Not given"),
}
SORT_LABELS = {
    "relevance": _l("Best match"),
    "updated": _l("Last changed"),
    "title": _l("Title, A to Z"),
    "ends": _l("Ending soonest"),
    "contract": _l("Contract ending soonest"),
}


@dataclass(frozen=True)
class SearchFacet:
    """One thing to narrow down by. `kind` is boxes, list or text; `choices` are values with words,
    of which a text has only `hint`. `id` is for the page alone: those of plugins have one name.
    """

    name: str
    label: Label
    kind: str
    choices: Mapping[str, Any]
    hint: LazyString | str = ""
    id: str = ""

    def values(self, wanted: SearchParams) -> tuple[Any, ...]:
        """What was chosen of it."""
        value = getattr(wanted, self.name)
        every = value if isinstance(value, tuple) else (value,)
        of_others = self.id and self.name == PLUGIN_FACET
        return tuple(
            each
            for each in every
            if each not in ("", None) and not (of_others and each not in self.choices)
        )


@dataclass(frozen=True)
class DateRangeFilter:
    """A span of time to narrow down by: two days. One that `is_ahead` is offered
    as so many months from today too.
    """

    name: str
    label: LazyString
    offers_months_ahead: bool = False


DATE_RANGES = (
    DateRangeFilter("starts", _l("Starts")),
    DateRangeFilter("ends", _l("Ends")),
    DateRangeFilter("contract", _l("Contract ends"), offers_months_ahead=True),
    DateRangeFilter("updated", _l("Last changed")),
)


# Procurement takes months: so many ahead are offered.
MONTHS_AHEAD = (3, 6, 12)


def months_ahead_queries(wanted: SearchParams, today: date) -> Mapping[str, Mapping[int, str]]:
    """For each span that is ahead: the query of the same search for so many months from today."""

    def until(name: str, last: date) -> str:
        span: dict[str, Any] = {f"{name}_from": today, f"{name}_to": last}
        return replace(wanted, **span).query_string

    return {
        days.name: {
            number: until(days.name, _months_later(today, number)) for number in MONTHS_AHEAD
        }
        for days in DATE_RANGES
        if days.offers_months_ahead
    }


def _months_later(day: date, number: int) -> date:
    """The same day of a later month, or the last that it has."""
    year, month = divmod(day.month - 1 + number, 12)
    last = monthrange(day.year + year, month + 1)[1]
    return date(day.year + year, month + 1, min(day.day, last))


@dataclass(frozen=True)
class SelectedFilter:
    """One part of what was chosen, and the search without it."""

    label: Label
    text: str
    without: SearchParams


def build_facets(
    councils: Sequence[Council], of_plugins: Sequence[tuple[str, Declared]] = ()
) -> tuple[SearchFacet, ...]:
    """All of them, in their order; those of plugins last."""
    names = {str(council.id): council.name for council in councils}
    return (
        SearchFacet("phase", _l("Phase"), "boxes", _labels_by_value(PHASE_LABELS)),
        SearchFacet("origin", _l("From"), "list", ORIGIN_LABELS),
        SearchFacet("council", _l("Council"), "list", names),
        SearchFacet("region", _l("Region"), "list", _labels_by_value(places.REGION_LABELS)),
        SearchFacet("capability", _l("Capability"), "list", CAPABILITIES),
        SearchFacet("area", _l("Business area"), "list", BUSINESS_AREAS),
        SearchFacet(
            "lgsl", _l("Service"), "text", {}, _l("A number from the Local Government Service List")
        ),
        SearchFacet(
            "collaboration",
            _l("Collaboration"),
            "boxes",
            _labels_by_value(COLLABORATIONS),
            _l("Each option includes the ones after it"),
        ),
        SearchFacet("budget", _l("Budget"), "boxes", _labels_by_value(BUDGETS)),
        SearchFacet("freshness", _l("How up to date"), "boxes", FRESHNESS_LABELS),
        SearchFacet("show", _l("Show"), "list", {"archived": _l("Archived projects")}),
        SearchFacet("skill", _l("Skill wanted"), "text", {}),
        SearchFacet("tag", _l("Tag"), "text", {}),
        SearchFacet("technology", _l("Technology"), "text", {}),
        *(_plugin_facet(plugin, item) for plugin, item in of_plugins),
    )


def _plugin_facet(plugin: str, item: Declared) -> SearchFacet:
    choices = {f"{plugin}.{item.name}:{value}": label for value, label in item.choices.items()}
    return SearchFacet(PLUGIN_FACET, item.label, "boxes", choices, id=f"{plugin}-{item.name}")


def _labels_by_value(words: Mapping[Any, LazyString]) -> dict[str, LazyString]:
    return {word.value: name for word, name in words.items()}


def list_selected_filters(
    wanted: SearchParams, every: Iterable[SearchFacet]
) -> Iterator[SelectedFilter]:
    """What narrows a search down, part by part."""
    if wanted.q:
        yield SelectedFilter(_l("Keywords"), wanted.q, wanted.without("q", wanted.q))
    for facet in every:
        for each in facet.values(wanted):
            said = str(facet.choices.get(str(each), each))
            yield SelectedFilter(facet.label, said, wanted.without(facet.name, each))
    for days in DATE_RANGES:
        for name, label in (
            (f"{days.name}_from", _FROM_LABELS[days.name]),
            (f"{days.name}_to", _TO_LABELS[days.name]),
        ):
            day = getattr(wanted, name)
            if day:
                yield SelectedFilter(label, format_date(day, "d MMMM y"), wanted.without(name, ""))


_FROM_LABELS = {
    "starts": _l("Starts on or after"),
    "ends": _l("Ends on or after"),
    "contract": _l("Contract ends on or after"),
    "updated": _l("Changed on or after"),
}
_TO_LABELS = {
    "starts": _l("Starts on or before"),
    "ends": _l("Ends on or before"),
    "contract": _l("Contract ends on or before"),
    "updated": _l("Changed on or before"),
}
