"""What a project is found by: its words in all its languages, and its labels."""

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from hashlib import blake2b

from node.projects.details import Collaboration, Details, Output
from node.projects.models import Project
from node.search import words
from node.search.asking import (
    LONGEST_BEGINNING,
    OPENING,
    SHORTEST_BEGINNING,
    STEM,
    TITLE,
)
from node.search.fulltext import Document

ENGLISH = "en"
LAST_YEAR = 2100
# How licences are told apart; whatever is none of them is `other`.
LICENCES = {
    "ogl": re.compile(r"\bogl|open government"),
    "mit": re.compile(r"\bmit\b"),
    "apache": re.compile(r"\bapache"),
    "eupl": re.compile(r"\beupl|european union public"),
    "gpl": re.compile(r"\b[al]?gpl|general public"),
    "bsd": re.compile(r"\bbsd"),
    "cc": re.compile(r"\bcc|creative commons"),
}


def label(kind: str, value: object) -> str:
    """A label as it stands in the index. A word that was typed has no such mark in it."""
    return f"_{kind}_{words.name(str(value))}"


def of_plugin(facet: str, value: str) -> str:
    """The label of a value of a plugin's facet, `plugin.facet`."""
    return f"_x_{blake2b(f'{facet}:{value}'.encode(), digest_size=12).hexdigest()}"


def of_project(project: Project, of_plugins: Collection[str] = ()) -> Document:
    """The project, and what is said of it in other languages; with labels `of_plugins`."""
    said = project.details
    titles = [_Text(project.title, project.language)]
    texts = [
        _Text(project.summary, project.language),
        _Text(words.without_tags(project.content), project.language),
    ]
    for language, translated in project.translations.items():
        titles.append(_Text(translated.get("title", ""), language))
        texts.append(_Text(translated.get("summary", ""), language))
        texts.append(_Text(words.without_tags(translated.get("content", "")), language))
    texts += [_Text(one, project.language) for one in _said_beside(said)]
    texts.append(_Text(project.council.name, ""))
    labels = _labels(project) | _stems(titles, texts) | _beginnings(titles)
    return Document(_places(titles, texts), frozenset(labels.union(of_plugins)))


def of_output(project: Project, output: Output) -> Document:
    """An output, with the title of the project that it is of."""
    titles = [_Text(output.title, project.language)]
    texts = [
        _Text(output.about, project.language),
        _Text(output.licence, ENGLISH),
        _Text(project.title, project.language),
        _Text(project.council.name, ""),
        *(_Text(adopter.name, "") for adopter in output.adopters),
    ]
    labels = {
        label("v", project.visibility.value),
        label("c", project.council_id),
        label("licence", licence_of(output.licence)),
    }
    if output.adopters:
        labels.add(label("adopted", "yes"))
    labels |= _stems(titles, texts) | _beginnings(titles)
    return Document(_places(titles, texts), frozenset(labels))


def licence_of(text: str) -> str:
    """The family of a licence that somebody named: `none` where they named none."""
    said = " ".join(words.words(text))
    if not said:
        return "none"
    return next((family for family, mark in LICENCES.items() if mark.search(said)), "other")


class _Text:
    """A text as words, and whether they have stems."""

    def __init__(self, text: str, language: str) -> None:
        self.words = words.words(text)
        self.is_english = language == ENGLISH


def _said_beside(said: Details) -> Iterator[str]:
    """What stands in the details and not in the content."""
    yield from (said.department, *said.tags, *said.technologies, *said.skills)
    for need in said.user_needs:
        yield f"{need.as_a} {need.need} {need.so_that}"
    for output in said.outputs:
        yield f"{output.title} {output.about}"
    yield from (said.capability, said.business_area)


def _places(titles: list[_Text], texts: list[_Text]) -> list[str]:
    in_titles = [[TITLE + word for word in text.words] for text in titles]
    return words.places([*in_titles, *(text.words for text in (*titles, *texts))])


def _stems(titles: Iterable[_Text], texts: Iterable[_Text]) -> set[str]:
    """The stems of English words that are not words themselves."""
    in_titles, beside = _english(titles), _english(texts)
    found = {f"{TITLE}{STEM}{stem}" for word in in_titles if (stem := words.stem(word)) != word}
    for word in in_titles | beside:
        if (stem := words.stem(word)) != word:
            found.add(STEM + stem)
    return found


def _beginnings(titles: Iterable[_Text]) -> set[str]:
    return {
        OPENING + word[:length]
        for text in titles
        for word in text.words
        for length in range(SHORTEST_BEGINNING, min(len(word), LONGEST_BEGINNING) + 1)
    }


def _english(texts: Iterable[_Text]) -> set[str]:
    return set().union(*(text.words for text in texts if text.is_english))


def _labels(project: Project) -> set[str]:
    said = project.details
    found = {
        label("v", project.visibility.value),
        label("c", project.council_id),
        label("phase", project.phase.value),
        label("fresh", project.freshness.value),
    }
    one_each = {
        "capability": said.capability,
        "area": said.business_area,
        "lgsl": said.lgsl,
        "budget": said.budget,
    }
    found |= {label(kind, value) for kind, value in one_each.items() if value}
    if project.council.region:
        found.add(label("region", project.council.region.value))
    many = {"tag": said.tags, "technology": said.technologies, "skill": said.skills}
    found |= {label(kind, value) for kind, values in many.items() for value in values}
    if said.collaboration:
        levels = list(Collaboration)
        upto = levels[: levels.index(said.collaboration) + 1]
        found |= {label("collaboration", level.value) for level in upto}
    found |= {*_day("start", said.starts_on), *_day("end", said.ends_on)}
    found.update(_day("contract", said.contract_ends_on))
    return found


def _day(kind: str, day: date | None) -> tuple[str, ...]:
    """The year and the month of a day, so that a span of time is a few labels."""
    if day is None:
        return ()
    year = min(day.year, LAST_YEAR)
    return f"_{kind}_{year}", f"_{kind}_{year}{day.month:02}"


def between(kind: str, first: date | None, last: date | None) -> tuple[str, ...]:
    """The labels of which a day between these two has one: months at the ends, and years."""
    start = first or date(1970, 1, 1)
    end = last or date(LAST_YEAR, 12, 31)
    found = []
    for year in range(min(start.year, LAST_YEAR), min(end.year, LAST_YEAR) + 1):
        opening = start.month if year == start.year else 1
        closing = end.month if year == end.year else 12
        if (opening, closing) == (1, 12) or year == LAST_YEAR:
            found.append(f"_{kind}_{year}")
        else:
            found += [f"_{kind}_{year}{month:02}" for month in range(opening, closing + 1)]
    return tuple(found)
