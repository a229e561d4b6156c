"""What a project is found by: its words in all its languages, and its labels."""

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from hashlib import blake2b

from node.projects.details import Collaboration, Details, Output
from node.projects.models import Project
from node.search import text_analysis
from node.search.fulltext import IndexDocument
from node.search.query_syntax import (
    MAX_LEN_PREFIX,
    MIN_LEN_PREFIX,
    PREFIX_MARK,
    STEM_MARK,
    TITLE_MARK,
)

ENGLISH = "en"
MAX_YEAR = 2100
# How licences are told apart; whatever is none of them is `other`.
LICENCE_PATTERNS = {
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
    return f"_{kind}_{text_analysis.normalise_name(str(value))}"


def plugin_label(facet: str, value: str) -> str:
    """The label of a value of a plugin's facet, `plugin.facet`."""
    return f"_x_{blake2b(f'{facet}:{value}'.encode(), digest_size=12).hexdigest()}"


def project_document(project: Project, of_plugins: Collection[str] = ()) -> IndexDocument:
    """The project, and what is said of it in other languages; with labels `of_plugins`."""
    said = project.details
    titles = [_IndexedText(project.title, project.language)]
    texts = [
        _IndexedText(project.summary, project.language),
        _IndexedText(text_analysis.strip_tags(project.content), project.language),
    ]
    for language, translated in project.translations.items():
        titles.append(_IndexedText(translated.get("title", ""), language))
        texts.append(_IndexedText(translated.get("summary", ""), language))
        texts.append(
            _IndexedText(text_analysis.strip_tags(translated.get("content", "")), language)
        )
    texts += [_IndexedText(one, project.language) for one in _detail_texts(said)]
    texts.append(_IndexedText(project.council.name, ""))
    labels = _project_labels(project) | _stem_labels(titles, texts) | _prefix_labels(titles)
    return IndexDocument(_word_positions(titles, texts), frozenset(labels.union(of_plugins)))


def output_document(project: Project, output: Output) -> IndexDocument:
    """An output, with the title of the project that it is of."""
    titles = [_IndexedText(output.title, project.language)]
    texts = [
        _IndexedText(output.about, project.language),
        _IndexedText(output.licence, ENGLISH),
        _IndexedText(project.title, project.language),
        _IndexedText(project.council.name, ""),
        *(_IndexedText(adopter.name, "") for adopter in output.adopters),
    ]
    labels = {
        label("v", project.visibility.value),
        label("c", project.council_id),
        label("licence", licence_family(output.licence)),
    }
    if output.adopters:
        labels.add(label("adopted", "yes"))
    labels |= _stem_labels(titles, texts) | _prefix_labels(titles)
    return IndexDocument(_word_positions(titles, texts), frozenset(labels))


def licence_family(text: str) -> str:
    """The family of a licence that somebody named: `none` where they named none."""
    said = " ".join(text_analysis.split_words(text))
    if not said:
        return "none"
    return next((family for family, mark in LICENCE_PATTERNS.items() if mark.search(said)), "other")


class _IndexedText:
    """A text as words, and whether they have stems."""

    def __init__(self, text: str, language: str) -> None:
        self.words = text_analysis.split_words(text)
        self.is_english = language == ENGLISH


def _detail_texts(said: Details) -> Iterator[str]:
    """What stands in the details and not in the content."""
    yield from (said.department, *said.tags, *said.technologies, *said.skills)
    for need in said.user_needs:
        yield f"{need.as_a} {need.need} {need.so_that}"
    for output in said.outputs:
        yield f"{output.title} {output.about}"
    yield from (said.capability, said.business_area)


def _word_positions(titles: list[_IndexedText], texts: list[_IndexedText]) -> list[str]:
    in_titles = [[TITLE_MARK + word for word in text.words] for text in titles]
    return text_analysis.to_positions([*in_titles, *(text.words for text in (*titles, *texts))])


def _stem_labels(titles: Iterable[_IndexedText], texts: Iterable[_IndexedText]) -> set[str]:
    """The stems of English words that are not words themselves."""
    in_titles, beside = _english_words(titles), _english_words(texts)
    found = {
        f"{TITLE_MARK}{STEM_MARK}{stem}"
        for word in in_titles
        if (stem := text_analysis.stem(word)) != word
    }
    for word in in_titles | beside:
        if (stem := text_analysis.stem(word)) != word:
            found.add(STEM_MARK + stem)
    return found


def _prefix_labels(titles: Iterable[_IndexedText]) -> set[str]:
    return {
        PREFIX_MARK + word[:length]
        for text in titles
        for word in text.words
        for length in range(MIN_LEN_PREFIX, min(len(word), MAX_LEN_PREFIX) + 1)
    }


def _english_words(texts: Iterable[_IndexedText]) -> set[str]:
    return set().union(*(text.words for text in texts if text.is_english))


def _project_labels(project: Project) -> set[str]:
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
    found |= {*_date_labels("start", said.starts_on), *_date_labels("end", said.ends_on)}
    found.update(_date_labels("contract", said.contract_ends_on))
    return found


def _date_labels(kind: str, day: date | None) -> tuple[str, ...]:
    """The year and the month of a day, so that a span of time is a few labels."""
    if day is None:
        return ()
    year = min(day.year, MAX_YEAR)
    return f"_{kind}_{year}", f"_{kind}_{year}{day.month:02}"


def date_range_labels(kind: str, first: date | None, last: date | None) -> tuple[str, ...]:
    """The labels of which a day between these two has one: months at the ends, and years."""
    start = first or date(1970, 1, 1)
    end = last or date(MAX_YEAR, 12, 31)
    found = []
    for year in range(min(start.year, MAX_YEAR), min(end.year, MAX_YEAR) + 1):
        opening = start.month if year == start.year else 1
        closing = end.month if year == end.year else 12
        if (opening, closing) == (1, 12) or year == MAX_YEAR:
            found.append(f"_{kind}_{year}")
        else:
            found += [f"_{kind}_{year}{month:02}" for month in range(opening, closing + 1)]
    return tuple(found)
