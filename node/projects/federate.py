"""Converts a project to its ActivityPub documents and back. Pure: no database, no network."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from federation.addressing import PUBLIC_COLLECTION, Addressing
from federation.errors import DocumentError
from federation.origin import parse_origin, same_origin
from federation.properties import JsonObject
from federation.vocabulary import Article, ProjectDetails, ProjectDocument, Tombstone
from federation.vocabulary.context import NAMESPACE
from node import markup
from node.access.visibility import Visibility
from node.federating.identity import local_uris
from node.projects.details import BRIEF_FIELDS, Details, Freshness, FreshnessDetails, RelatedProject
from node.projects.details import dump as dump_details
from node.projects.details import parse as parse_details
from node.projects.licensing import parse_licence
from node.projects.models import Phase, Project
from node.text import one_line

# The headings of a brief, in the order of `BRIEF_FIELDS`, by language.
HEADINGS = {
    "en": (
        "Why the work is being done",
        "Problem to be solved",
        "Who the users are and what they need",
        "Work already done",
        "Constraints",
    ),
    "cy": (
        "Pam mae’r gwaith yn cael ei wneud",
        "Y broblem i’w datrys",
        "Pwy yw’r defnyddwyr a beth sydd ei angen arnynt",
        "Gwaith a wnaed eisoes",
        "Cyfyngiadau",
    ),
}
MAX_LEN_TITLE = 300
MAX_LEN_SUMMARY = 500
MAX_LEN_CONTENT = 200_000
MAX_LEN_LANGUAGE = 10
# Languages beside its own in which the text of a project is stored.
MAX_TRANSLATIONS = 5


@dataclass(frozen=True)
class RemoteProject:
    """A project as another node states it, checked and sanitised.

    `visibility` is public or peers. `revision` is empty if the node states none. `translations`
    holds title, summary and content by language. `licence` is the URL of the licence of the text.
    """

    uri: str
    url: str
    council_uri: str
    title: str
    summary: str
    phase: Phase
    content: str
    published_at: datetime | None
    changed_at: datetime | None
    visibility: Visibility
    revision: str
    language: str
    translations: dict[str, dict[str, str]]
    licence: str | None
    details: Details
    freshness: Freshness
    review_on: date | None
    confirmed_on: date | None
    archived_on: date | None


def build_addressing(project: Project) -> Addressing:
    """The `to` and `cc` of activities about a project.

    A project for peers is addressed to the followers; the delivery decides which of them get it.
    """
    followers = (project.council.actor.followers or "",)
    if project.visibility is Visibility.public:
        return {"to": (PUBLIC_COLLECTION,), "cc": followers}
    return {"to": followers, "cc": ()}


def to_article(project: Project, licence: str | None) -> Article:
    """The `Article` of a local project, with its details. `licence` is the URL of the licence of
    the text.

    Raises `ValueError` for a private project, which is never federated.
    """
    if project.visibility is Visibility.private:
        raise ValueError("a private project has no document")
    return Article(
        id=project.uri,
        name=project.title,
        content=project.content,
        attributed_to=project.council.actor.uri,
        url=project.url,
        published=project.published_at,
        updated=project.changed_at,
        **build_addressing(project),
        context=local_uris.project_context(project.uri),
        audience=local_uris.project_group(project.uri),
        license=licence,
        language=project.language,
        name_map=_collect_translations(project, "title"),
        content_map=_collect_translations(project, "content"),
        tags=(
            *(_build_hashtag(project, tag) for tag in project.details.tags),
            *(_build_relation_link(related) for related in project.details.related),
        ),
        full_document=local_uris.project_document(project.uri),
        replies=local_uris.project_context(project.uri),
        likes=local_uris.likes(project.uri),
        shares=local_uris.shares(project.uri),
        project=ProjectDetails(
            summary=project.summary,
            phase=project.phase.value,
            source_markdown=to_markdown(project.brief, project.details, project.language),
            version=project.version,
            visibility=project.visibility.value,
            revision=project.revision,
            details=_build_details(project),
        ),
    )


def _build_relation_link(related: RelatedProject) -> JsonObject:
    """A relation to another project: a `Link` whose `rel` is a term of our namespace. It has no
    `name`, since a recipient might not be allowed to read the other's title.
    """
    return {"type": "Link", "rel": f"{NAMESPACE}{related.kind}", "href": related.uri}


def _read_relations(article: Article) -> list[JsonObject]:
    """The relations that an article's `Link`s state, as input for `Details`."""
    links = (tag for tag in article.tags if str(tag.get("rel", "")).startswith(NAMESPACE))
    return [
        {"kind": str(link["rel"]).removeprefix(NAMESPACE), "uri": link.get("href")}
        for link in links
    ]


def _build_details(project: Project) -> JsonObject:
    """The details as federated: without the brief, which is part of the content, and without
    relations, which are links; with the summary in other languages, the freshness and the councils
    that reuse the outputs.
    """
    dumped = dump_details(replace(project.details, outputs=project.outputs))
    document = {
        name: value for name, value in dumped.items() if name not in {*BRIEF_FIELDS, "related"}
    }
    summaries = _collect_translations(project, "summary")
    return document | ({"summaries": summaries} if summaries else {}) | build_freshness(project)


def build_freshness(project: Project) -> JsonObject:
    """The freshness of a project as federated; empty if there is nothing to state."""
    if project.freshness is Freshness.unsaid:
        return {}
    days = project.review_on, project.confirmed_on, project.archived_on
    return dump_details(FreshnessDetails(project.freshness, *days))


def to_markdown(brief: str, details: Details, language: str) -> str:
    """The whole brief as Markdown: the text under each heading, then the rest."""
    headings = HEADINGS.get(language, HEADINGS["en"])
    parts = (
        (heading, getattr(details, name))
        for name, heading in zip(BRIEF_FIELDS, headings, strict=True)
    )
    sections = [f"## {heading}\n\n{text}" for heading, text in parts if text]
    return "\n\n".join([*sections, *([brief] if brief else [])])


def _build_hashtag(project: Project, tag: str) -> JsonObject:
    """A tag as the fediverse knows it: one word, with the URL of our projects that have the tag."""
    name = "".join(word[:1].upper() + word[1:] for word in re.findall(r"\w+", tag))
    href = f"{parse_origin(project.uri)}/projects?{urlencode({'tag': tag})}"
    return {"type": "Hashtag", "name": f"#{name}", "href": href}


def _collect_translations(project: Project, part: str) -> dict[str, str]:
    return {
        tag: translation[part]
        for tag, translation in sorted(project.translations.items())
        if translation.get(part)
    }


def to_document(project: Project, licence: str | None) -> ProjectDocument:
    """The whole project document, to which the Article links (FEP-e232)."""
    article = to_article(project, licence)
    return ProjectDocument(
        id=local_uris.project_document(project.uri),
        project=project.uri,
        name=article.name,
        attributed_to=article.attributed_to,
        details=article.project or ProjectDetails(),
        content=article.content,
        url=project.url,
        license=licence,
        published=article.published,
        updated=article.updated,
    )


def to_tombstone(project: Project) -> Tombstone:
    """The `Tombstone` of a project that is deleted, or that its recipient may no longer read."""
    deleted_at = project.deleted_at or project.changed_at
    return Tombstone(id=project.uri, former_type="Article", deleted=deleted_at)


def from_article(article: Article) -> RemoteProject | None:
    """The project that an article describes; None for an article that is not a project.

    Raises `DocumentError` if a part is not valid.
    """
    details = article.project
    if details is None:
        return None
    if not article.attributed_to:
        raise DocumentError("attributedTo", "must name the project’s council")
    try:
        phase = Phase(details.phase)
    except ValueError:
        raise DocumentError("phase", "not a project phase") from None
    url = article.url or ""
    language = _detect_language(article)
    freshness_details = parse_details(FreshnessDetails, details.details)
    return RemoteProject(
        uri=article.id,
        url=url if same_origin(url, article.id) else article.id,
        council_uri=article.attributed_to,
        title=_clean_title(article.name) or "Untitled",
        summary=one_line(details.summary, MAX_LEN_SUMMARY),
        phase=phase,
        content=_clean_content(article.content),
        published_at=article.published,
        changed_at=article.updated or article.published,
        visibility=Visibility(details.visibility),
        revision=details.revision,
        language=language,
        translations=_read_translations(article, language, details.details.get("summaries")),
        licence=parse_licence(article.license),
        details=parse_details(Details, {**details.details, "related": _read_relations(article)}),
        freshness=freshness_details.freshness or Freshness.unsaid,
        review_on=freshness_details.review_on,
        confirmed_on=freshness_details.confirmed_on,
        archived_on=freshness_details.archived_on,
    )


def _clean_title(text: str) -> str:
    return one_line(text, MAX_LEN_TITLE)


def _clean_summary(text: Any) -> str:
    return one_line(text, MAX_LEN_SUMMARY) if isinstance(text, str) else ""


def _clean_content(html: str) -> str:
    """Untrusted HTML, sanitised. Raises `DocumentError` if it is too long."""
    return markup.sanitise_received("content", html, MAX_LEN_CONTENT)


def _detect_language(article: Article) -> str:
    """The language of an article: as its content states it, else its title, else English."""
    title_languages = (tag for tag, title in article.name_map.items() if title == article.name)
    candidates = (article.language or "", *title_languages)
    return next((tag for tag in candidates if 0 < len(tag) <= MAX_LEN_LANGUAGE), "en")


def _read_translations(
    article: Article, language: str, stated_summaries: Any
) -> dict[str, dict[str, str]]:
    """Title, summary and content in other languages than the article's own."""
    summaries = stated_summaries if isinstance(stated_summaries, Mapping) else {}
    tags = [*article.name_map, *article.content_map]
    valid_tags = [tag for tag in dict.fromkeys(tags) if len(tag) <= MAX_LEN_LANGUAGE]
    other_tags = [tag for tag in valid_tags if tag != language]
    return {
        tag: {
            "title": _clean_title(article.name_map.get(tag, "")),
            "content": _clean_content(article.content_map.get(tag, "")),
            "summary": _clean_summary(summaries.get(tag)),
        }
        for tag in other_tags[:MAX_TRANSLATIONS]
    }
