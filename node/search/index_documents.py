"""Builds the index documents of projects and outputs: words in all languages, and labels."""

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
# Recognises the family of a licence by its words; any other licence is `other`.
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
    """A label as it is indexed. The underscores keep it apart from typed words, which have none."""
    return f"_{kind}_{text_analysis.normalise_name(str(value))}"


def plugin_label(facet: str, value: str) -> str:
    """The label of a plugin facet's value; `facet` is "plugin.facet"."""
    return f"_x_{blake2b(f'{facet}:{value}'.encode(), digest_size=12).hexdigest()}"


def project_document(project: Project, plugin_labels: Collection[str] = ()) -> IndexDocument:
    """The document of a project: its texts, its translations, its labels and `plugin_labels`."""
    titles = [_IndexedText(project.title, project.language)]
    texts = [
        _IndexedText(project.summary, project.language),
        _IndexedText(text_analysis.strip_tags(project.content), project.language),
    ]
    for language, translation in project.translations.items():
        titles.append(_IndexedText(translation.get("title", ""), language))
        texts.append(_IndexedText(translation.get("summary", ""), language))
        texts.append(
            _IndexedText(text_analysis.strip_tags(translation.get("content", "")), language)
        )
    texts += [_IndexedText(text, project.language) for text in _detail_texts(project.details)]
    texts.append(_IndexedText(project.council.name, ""))
    labels = _project_labels(project) | _stem_labels(titles, texts) | _prefix_labels(titles)
    return IndexDocument(_word_positions(titles, texts), frozenset(labels.union(plugin_labels)))


def output_document(project: Project, output: Output) -> IndexDocument:
    """The document of an output, which is also found by the title of its project."""
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
    """The family of a licence that is given as free text; "none" for an empty one."""
    words = " ".join(text_analysis.split_words(text))
    if not words:
        return "none"
    families = (family for family, pattern in LICENCE_PATTERNS.items() if pattern.search(words))
    return next(families, "other")


class _IndexedText:
    """A text as words, and whether they are English and so have stems."""

    def __init__(self, text: str, language: str) -> None:
        self.words = text_analysis.split_words(text)
        self.is_english = language == ENGLISH


def _detail_texts(details: Details) -> Iterator[str]:
    """Texts of the details that the content does not repeat."""
    yield from (details.department, *details.tags, *details.technologies, *details.skills)
    for need in details.user_needs:
        yield f"{need.as_a} {need.need} {need.so_that}"
    for output in details.outputs:
        yield f"{output.title} {output.about}"
    yield from (details.capability, details.business_area)


def _word_positions(titles: list[_IndexedText], texts: list[_IndexedText]) -> list[str]:
    in_titles = [[TITLE_MARK + word for word in text.words] for text in titles]
    return text_analysis.to_positions([*in_titles, *(text.words for text in (*titles, *texts))])


def _stem_labels(titles: Iterable[_IndexedText], texts: Iterable[_IndexedText]) -> set[str]:
    """Labels for the stems of English words, where the stem differs from the word."""
    in_titles, in_texts = _english_words(titles), _english_words(texts)
    labels = {
        f"{TITLE_MARK}{STEM_MARK}{stem}"
        for word in in_titles
        if (stem := text_analysis.stem(word)) != word
    }
    for word in in_titles | in_texts:
        if (stem := text_analysis.stem(word)) != word:
            labels.add(STEM_MARK + stem)
    return labels


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
    details = project.details
    labels = {
        label("v", project.visibility.value),
        label("c", project.council_id),
        label("phase", project.phase.value),
        label("fresh", project.freshness.value),
    }
    single_values = {
        "capability": details.capability,
        "area": details.business_area,
        "lgsl": details.lgsl,
        "budget": details.budget,
    }
    labels |= {label(kind, value) for kind, value in single_values.items() if value}
    if project.council.region:
        labels.add(label("region", project.council.region.value))
    lists = {"tag": details.tags, "technology": details.technologies, "skill": details.skills}
    labels |= {label(kind, value) for kind, values in lists.items() for value in values}
    if details.collaboration:
        # A project that offers one level of collaboration is found by the levels before it too.
        levels = list(Collaboration)
        included = levels[: levels.index(details.collaboration) + 1]
        labels |= {label("collaboration", level.value) for level in included}
    labels |= {*_date_labels("start", details.starts_on), *_date_labels("end", details.ends_on)}
    labels.update(_date_labels("contract", details.contract_ends_on))
    return labels


def _date_labels(kind: str, day: date | None) -> tuple[str, ...]:
    """Labels for the year and the month of a day, so that a date range needs only a few labels."""
    if day is None:
        return ()
    year = min(day.year, MAX_YEAR)
    return f"_{kind}_{year}", f"_{kind}_{year}{day.month:02}"


def date_range_labels(kind: str, first: date | None, last: date | None) -> tuple[str, ...]:
    """The labels that cover a date range: any day in it has one of them.

    Whole years count as one label, the years at the ends as months. The range is rounded out to
    whole months, so the exact days still need checking.
    """
    start = first or date(1970, 1, 1)
    end = last or date(MAX_YEAR, 12, 31)
    labels = []
    for year in range(min(start.year, MAX_YEAR), min(end.year, MAX_YEAR) + 1):
        first_month = start.month if year == start.year else 1
        last_month = end.month if year == end.year else 12
        if (first_month, last_month) == (1, 12) or year == MAX_YEAR:
            labels.append(f"_{kind}_{year}")
        else:
            labels += [f"_{kind}_{year}{month:02}" for month in range(first_month, last_month + 1)]
    return tuple(labels)
