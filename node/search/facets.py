"""What projects can be narrowed down by, in words, and what was chosen of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString, format_date
from flask_babel import lazy_gettext as _l

from node.councils import places
from node.councils.models import Council
from node.freshness import words as freshness
from node.projects.details import Freshness
from node.projects.forms import PHASES
from node.projects.subjects import BUDGETS, BUSINESS_AREAS, CAPABILITIES, COLLABORATIONS
from node.search.wanted import Wanted

ORIGINS = {"ours": _l("This council"), "others": _l("Other councils")}
FRESHNESS = {
    word.value: name for word, name in freshness.NAMES.items() if word is not Freshness.archived
}
SORTS = {
    "relevance": _l("Best match"),
    "updated": _l("Last changed"),
    "title": _l("Title, A to Z"),
    "ends": _l("Ending next"),
}


@dataclass(frozen=True)
class Facet:
    """One thing to narrow down by. `kind` is boxes, list or text; `choices` are values with words,
    of which a text has only `hint`.
    """

    name: str
    label: LazyString
    kind: str
    choices: Mapping[str, Any]
    hint: LazyString | str = ""


@dataclass(frozen=True)
class Days:
    """A span of time to narrow down by: two days."""

    name: str
    label: LazyString


DAYS = (
    Days("starts", _l("Starts")),
    Days("ends", _l("Ends")),
    Days("updated", _l("Last changed")),
)


@dataclass(frozen=True)
class Chosen:
    """One part of what was chosen, and the search without it."""

    label: LazyString
    text: str
    without: Wanted


def facets(councils: Sequence[Council]) -> tuple[Facet, ...]:
    """All of them, in their order."""
    names = {str(council.id): council.name for council in councils}
    return (
        Facet("phase", _l("Phase"), "boxes", _by_word(PHASES)),
        Facet("origin", _l("From"), "list", ORIGINS),
        Facet("council", _l("Council"), "list", names),
        Facet("region", _l("Region"), "list", _by_word(places.LABELS)),
        Facet("capability", _l("Capability"), "list", CAPABILITIES),
        Facet("area", _l("Business area"), "list", BUSINESS_AREAS),
        Facet(
            "lgsl", _l("Service"), "text", {}, _l("A number of the Local Government Service List")
        ),
        Facet(
            "collaboration",
            _l("Collaboration"),
            "boxes",
            _by_word(COLLABORATIONS),
            _l("Each level includes those after it"),
        ),
        Facet("budget", _l("Budget"), "boxes", _by_word(BUDGETS)),
        Facet("freshness", _l("Freshness"), "boxes", FRESHNESS),
        Facet("show", _l("Show"), "list", {"archived": _l("Archived projects")}),
        Facet("skill", _l("Skill wanted"), "text", {}),
        Facet("tag", _l("Tag"), "text", {}),
        Facet("technology", _l("Technology"), "text", {}),
    )


def _by_word(words: Mapping[Any, LazyString]) -> dict[str, LazyString]:
    return {word.value: name for word, name in words.items()}


def chosen(wanted: Wanted, every: Iterable[Facet]) -> Iterator[Chosen]:
    """What narrows a search down, part by part."""
    if wanted.q:
        yield Chosen(_l("Text"), wanted.q, wanted.without("q", wanted.q))
    for facet in every:
        value = getattr(wanted, facet.name)
        for each in value if isinstance(value, tuple) else (value,):
            if each not in ("", None):
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
    "updated": _l("Changed on or after"),
}
_TO = {
    "starts": _l("Starts on or before"),
    "ends": _l("Ends on or before"),
    "updated": _l("Changed on or before"),
}
