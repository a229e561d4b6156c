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
from node.declared import Facet as Declared
from node.declared import Label
from node.freshness import words as freshness
from node.projects.details import Freshness
from node.projects.forms import PHASES
from node.projects.subjects import BUDGETS, BUSINESS_AREAS, CAPABILITIES, COLLABORATIONS
from node.search.wanted import Wanted

OF_PLUGINS = "facet"
ORIGINS = {"ours": _l("This council"), "others": _l("Other councils")}
FRESHNESS = {
    **{
        word.value: name for word, name in freshness.NAMES.items() if word is not Freshness.archived
    },
    Freshness.unsaid.value: _l("Not given"),
}
SORTS = {
    "relevance": _l("Best match"),
    "updated": _l("Last changed"),
    "title": _l("Title, A to Z"),
    "ends": _l("Ending soonest"),
    "contract": _l("Contract ending soonest"),
}


@dataclass(frozen=True)
class Facet:
    """One thing to narrow down by. `kind` is boxes, list or text; `choices` are values with words,
    of which a text has only `hint`. `id` is for the page alone: those of plugins have one name.
    """

    name: str
    label: Label
    kind: str
    choices: Mapping[str, Any]
    hint: LazyString | str = ""
    id: str = ""

    def values(self, wanted: Wanted) -> tuple[Any, ...]:
        """What was chosen of it."""
        value = getattr(wanted, self.name)
        every = value if isinstance(value, tuple) else (value,)
        of_others = self.id and self.name == OF_PLUGINS
        return tuple(
            each
            for each in every
            if each not in ("", None) and not (of_others and each not in self.choices)
        )


@dataclass(frozen=True)
class Days:
    """A span of time to narrow down by: two days. One that `is_ahead` is offered
    as so many months from today too.
    """

    name: str
    label: LazyString
    is_ahead: bool = False


DAYS = (
    Days("starts", _l("Starts")),
    Days("ends", _l("Ends")),
    Days("contract", _l("Contract ends"), is_ahead=True),
    Days("updated", _l("Last changed")),
)


# Procurement takes months: so many ahead are offered.
MONTHS_AHEAD = (3, 6, 12)


def ahead(wanted: Wanted, today: date) -> Mapping[str, Mapping[int, str]]:
    """For each span that is ahead: the query of the same search for so many months from today."""

    def until(name: str, last: date) -> str:
        span: dict[str, Any] = {f"{name}_from": today, f"{name}_to": last}
        return replace(wanted, **span).query

    return {
        days.name: {
            number: until(days.name, _months_later(today, number)) for number in MONTHS_AHEAD
        }
        for days in DAYS
        if days.is_ahead
    }


def _months_later(day: date, number: int) -> date:
    """The same day of a later month, or the last that it has."""
    year, month = divmod(day.month - 1 + number, 12)
    last = monthrange(day.year + year, month + 1)[1]
    return date(day.year + year, month + 1, min(day.day, last))


@dataclass(frozen=True)
class Chosen:
    """One part of what was chosen, and the search without it."""

    label: Label
    text: str
    without: Wanted


def facets(
    councils: Sequence[Council], of_plugins: Sequence[tuple[str, Declared]] = ()
) -> tuple[Facet, ...]:
    """All of them, in their order; those of plugins last."""
    names = {str(council.id): council.name for council in councils}
    return (
        Facet("phase", _l("Phase"), "boxes", _by_word(PHASES)),
        Facet("origin", _l("From"), "list", ORIGINS),
        Facet("council", _l("Council"), "list", names),
        Facet("region", _l("Region"), "list", _by_word(places.LABELS)),
        Facet("capability", _l("Capability"), "list", CAPABILITIES),
        Facet("area", _l("Business area"), "list", BUSINESS_AREAS),
        Facet(
            "lgsl", _l("Service"), "text", {}, _l("A number from the Local Government Service List")
        ),
        Facet(
            "collaboration",
            _l("Collaboration"),
            "boxes",
            _by_word(COLLABORATIONS),
            _l("Each option includes the ones after it"),
        ),
        Facet("budget", _l("Budget"), "boxes", _by_word(BUDGETS)),
        Facet("freshness", _l("How up to date"), "boxes", FRESHNESS),
        Facet("show", _l("Show"), "list", {"archived": _l("Archived projects")}),
        Facet("skill", _l("Skill wanted"), "text", {}),
        Facet("tag", _l("Tag"), "text", {}),
        Facet("technology", _l("Technology"), "text", {}),
        *(_of_plugin(plugin, item) for plugin, item in of_plugins),
    )


def _of_plugin(plugin: str, item: Declared) -> Facet:
    choices = {f"{plugin}.{item.name}:{value}": label for value, label in item.choices.items()}
    return Facet(OF_PLUGINS, item.label, "boxes", choices, id=f"{plugin}-{item.name}")


def _by_word(words: Mapping[Any, LazyString]) -> dict[str, LazyString]:
    return {word.value: name for word, name in words.items()}


def chosen(wanted: Wanted, every: Iterable[Facet]) -> Iterator[Chosen]:
    """What narrows a search down, part by part."""
    if wanted.q:
        yield Chosen(_l("Keywords"), wanted.q, wanted.without("q", wanted.q))
    for facet in every:
        for each in facet.values(wanted):
            said = str(facet.choices.get(str(each), each))
            yield Chosen(facet.label, said, wanted.without(facet.name, each))
    for days in DAYS:
        for name, label in (
            (f"{days.name}_from", _FROM[days.name]),
            (f"{days.name}_to", _TO[days.name]),
        ):
            day = getattr(wanted, name)
            if day:
                yield Chosen(label, format_date(day, "d MMMM y"), wanted.without(name, ""))


_FROM = {
    "starts": _l("Starts on or after"),
    "ends": _l("Ends on or after"),
    "contract": _l("Contract ends on or after"),
    "updated": _l("Changed on or after"),
}
_TO = {
    "starts": _l("Starts on or before"),
    "ends": _l("Ends on or before"),
    "contract": _l("Contract ends on or before"),
    "updated": _l("Changed on or before"),
}
