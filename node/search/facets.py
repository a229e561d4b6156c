"""Facets and date ranges of the project search, with their labels, and the filters selected."""

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
from node.plugin_api.declarations import Facet as Declared
from node.plugin_api.declarations import Label
from node.projects.details import Freshness
from node.projects.forms import PHASE_LABELS
from node.projects.taxonomy import (
    BUDGET_LABELS,
    BUSINESS_AREA_LABELS,
    CAPABILITY_LABELS,
    COLLABORATION_LABELS,
)
from node.search.search_params import SearchParams

PLUGIN_FACET = "facet"
ORIGIN_LABELS = {"ours": _l("This council"), "others": _l("Other councils")}
FRESHNESS_LABELS = {
    **{
        state.value: label
        for state, label in freshness.FRESHNESS_LABELS.items()
        if state is not Freshness.archived
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
    """One filter of the search page.

    `name` is the parameter in the query string. `kind` is the control: "boxes", "list" or "text".
    `choices` maps values to labels; a text facet has none. `id` tells the facets of plugins apart
    on the page, since they share one parameter.
    """

    name: str
    label: Label
    kind: str
    choices: Mapping[str, Any]
    hint: LazyString | str = ""
    id: str = ""

    def values(self, params: SearchParams) -> tuple[Any, ...]:
        """The values of this facet that are selected."""
        selected = getattr(params, self.name)
        values = selected if isinstance(selected, tuple) else (selected,)
        # All plugin facets share one parameter, so it holds values of other facets too.
        is_shared = self.id and self.name == PLUGIN_FACET
        return tuple(
            value
            for value in values
            if value not in ("", None) and not (is_shared and value not in self.choices)
        )


@dataclass(frozen=True)
class DateRangeFilter:
    """A filter by first and last day. With `offers_months_ahead`, the page also links to the
    next 3, 6 and 12 months.
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


# Months from today that are offered as links: procurement takes this long.
MONTHS_AHEAD = (3, 6, 12)


def months_ahead_queries(params: SearchParams, today: date) -> Mapping[str, Mapping[int, str]]:
    """Query strings of this search from `today` on, by date range and number of months.

    Covers the date ranges that offer months ahead.
    """

    def until(name: str, last: date) -> str:
        date_range: dict[str, Any] = {f"{name}_from": today, f"{name}_to": last}
        return replace(params, **date_range).query_string

    return {
        date_filter.name: {
            months: until(date_filter.name, _months_later(today, months)) for months in MONTHS_AHEAD
        }
        for date_filter in DATE_RANGES
        if date_filter.offers_months_ahead
    }


def _months_later(day: date, months: int) -> date:
    """The same day `months` later, or the last day of that month if it is shorter."""
    year, month = divmod(day.month - 1 + months, 12)
    last = monthrange(day.year + year, month + 1)[1]
    return date(day.year + year, month + 1, min(day.day, last))


@dataclass(frozen=True)
class SelectedFilter:
    """One filter that is set, and the search with that filter removed."""

    label: Label
    text: str
    without: SearchParams


def build_facets(
    councils: Sequence[Council], plugin_facets: Sequence[tuple[str, Declared]] = ()
) -> tuple[SearchFacet, ...]:
    """All facets in the order of the page; those of plugins come last."""
    names = {str(council.id): council.name for council in councils}
    return (
        SearchFacet("phase", _l("Phase"), "boxes", _labels_by_value(PHASE_LABELS)),
        SearchFacet("origin", _l("From"), "list", ORIGIN_LABELS),
        SearchFacet("council", _l("Council"), "list", names),
        SearchFacet("region", _l("Region"), "list", _labels_by_value(places.REGION_LABELS)),
        SearchFacet("capability", _l("Capability"), "list", CAPABILITY_LABELS),
        SearchFacet("area", _l("Business area"), "list", BUSINESS_AREA_LABELS),
        SearchFacet(
            "lgsl", _l("Service"), "text", {}, _l("A number from the Local Government Service List")
        ),
        SearchFacet(
            "collaboration",
            _l("Collaboration"),
            "boxes",
            _labels_by_value(COLLABORATION_LABELS),
            _l("Each option includes the ones after it"),
        ),
        SearchFacet("budget", _l("Budget"), "boxes", _labels_by_value(BUDGET_LABELS)),
        SearchFacet("freshness", _l("How up to date"), "boxes", FRESHNESS_LABELS),
        SearchFacet("show", _l("Show"), "list", {"archived": _l("Archived projects")}),
        SearchFacet("skill", _l("Skill wanted"), "text", {}),
        SearchFacet("tag", _l("Tag"), "text", {}),
        SearchFacet("technology", _l("Technology"), "text", {}),
        *(_plugin_facet(plugin, declared) for plugin, declared in plugin_facets),
    )


def _plugin_facet(plugin: str, declared: Declared) -> SearchFacet:
    choices = {
        f"{plugin}.{declared.name}:{value}": label for value, label in declared.choices.items()
    }
    facet_id = f"{plugin}-{declared.name}"
    return SearchFacet(PLUGIN_FACET, declared.label, "boxes", choices, id=facet_id)


def _labels_by_value(labels: Mapping[Any, LazyString]) -> dict[str, LazyString]:
    return {member.value: label for member, label in labels.items()}


def list_selected_filters(
    params: SearchParams, facets: Iterable[SearchFacet]
) -> Iterator[SelectedFilter]:
    """Yield each filter of a search, in the order of the page."""
    if params.q:
        yield SelectedFilter(_l("Keywords"), params.q, params.without("q", params.q))
    for facet in facets:
        for value in facet.values(params):
            text = str(facet.choices.get(str(value), value))
            yield SelectedFilter(facet.label, text, params.without(facet.name, value))
    for date_filter in DATE_RANGES:
        for name, label in (
            (f"{date_filter.name}_from", _FROM_LABELS[date_filter.name]),
            (f"{date_filter.name}_to", _TO_LABELS[date_filter.name]),
        ):
            day = getattr(params, name)
            if day:
                yield SelectedFilter(label, format_date(day, "d MMMM y"), params.without(name, ""))


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
