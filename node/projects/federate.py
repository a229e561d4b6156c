"""A project as an ActivityPub document, and back. Pure: no database, no network."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from federation.addressing import PUBLIC, Addressed
from federation.errors import DocumentError
from federation.origin import parse_origin, same_origin
from federation.properties import JsonObject
from federation.vocabulary import Article, ProjectDetails, ProjectDocument, Tombstone
from federation.vocabulary.context import NAMESPACE
from node import markup
from node.federating import local_uris
from node.projects.details import BRIEF, Details, Freshness, FreshnessDetails, RelatedProject
from node.projects.details import dump as dump_details
from node.projects.details import parse as parse_details
from node.projects.licensing import parse_licence
from node.projects.models import Phase, Project, Visibility
from node.text import one_line

# The headings of a brief, as `BRIEF` orders them, in the languages that projects are written in.
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
# In how many other languages a text is kept.
MAX_TRANSLATIONS = 5


@dataclass(frozen=True)
class RemoteProject:
    """What another node says of a project of its own, checked and sanitised.

    `visibility` is public or peers. `revision` is empty where its node says none. `translations`
    has title and content by other languages. `licence` is the address of that of its text.
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


def address_to(project: Project) -> Addressed:
    """Whom what is said of a project is addressed to: `to` and `cc`.

    What only peers may read is addressed to the followers; who of them gets it, the delivery says.
    """
    followers = (project.council.actor.followers or "",)
    if project.visibility is Visibility.public:
        return {"to": (PUBLIC,), "cc": followers}
    return {"to": followers, "cc": ()}


def to_article(project: Project, licence: str | None) -> Article:
    """The one representation of a local project: an `Article` with its details beside it. `licence`
    is the address of that of its text.

    Raises `ValueError` for a private one, of which nobody else gets a document.
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
        **address_to(project),
        context=local_uris.project_context(project.uri),
        audience=local_uris.project_group(project.uri),
        license=licence,
        language=project.language,
        name_map=_translations_of(project, "title"),
        content_map=_translations_of(project, "content"),
        tags=(
            *(_hashtag(project, tag) for tag in project.details.tags),
            *(_relation_link(related) for related in project.details.related),
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
            details=_details_document(project),
        ),
    )


def _relation_link(related: RelatedProject) -> JsonObject:
    """A relation to another project: a `Link` whose `rel` is a word of our namespace. It has no
    `name`, since not everybody who gets it may read the title of the other.
    """
    return {"type": "Link", "rel": f"{NAMESPACE}{related.kind}", "href": related.uri}


def _read_relations(article: Article) -> list[JsonObject]:
    """What the `Link`s say of other projects, as details have it."""
    links = (tag for tag in article.tags if str(tag.get("rel", "")).startswith(NAMESPACE))
    return [
        {"kind": str(tag["rel"]).removeprefix(NAMESPACE), "uri": tag.get("href")} for tag in links
    ]


def _details_document(project: Project) -> JsonObject:
    """All but the headings of the brief, which the content has, and relations, which are links; the
    summary in other languages; how far it can be relied on; and who says that they use its outputs.
    """
    said = dump_details(replace(project.details, outputs=project.outputs))
    found = {name: value for name, value in said.items() if name not in {*BRIEF, "related"}}
    summaries = _translations_of(project, "summary")
    return found | ({"summaries": summaries} if summaries else {}) | freshness_document(project)


def freshness_document(project: Project) -> JsonObject:
    """How far a project can be relied on, as its node says now."""
    if project.freshness is Freshness.unsaid:
        return {}
    days = project.review_on, project.confirmed_on, project.archived_on
    return dump_details(FreshnessDetails(project.freshness, *days))


def to_markdown(brief: str, said: Details, language: str) -> str:
    """All of a brief: what stands under its headings, in their order, and the rest."""
    headings = HEADINGS.get(language, HEADINGS["en"])
    parts = ((heading, getattr(said, name)) for name, heading in zip(BRIEF, headings, strict=True))
    under = [f"## {heading}\n\n{text}" for heading, text in parts if text]
    return "\n\n".join([*under, *([brief] if brief else [])])


def _hashtag(project: Project, tag: str) -> JsonObject:
    """A tag as servers of the fediverse know it: one word, and where to find what has it."""
    name = "".join(word[:1].upper() + word[1:] for word in re.findall(r"\w+", tag))
    href = f"{parse_origin(project.uri)}/projects?{urlencode({'tag': tag})}"
    return {"type": "Hashtag", "name": f"#{name}", "href": href}


def _translations_of(project: Project, part: str) -> dict[str, str]:
    return {tag: said[part] for tag, said in sorted(project.translations.items()) if said.get(part)}


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
    """What is told of a project that is deleted, or no longer shown to whoever is told."""
    at = project.deleted_at or project.changed_at
    return Tombstone(id=project.uri, former_type="Article", deleted=at)


def from_article(article: Article) -> RemoteProject | None:
    """The project that an article describes; None for an article that is not a project.

    Raises `DocumentError` for one whose parts do not fit.
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
    upkeep = parse_details(FreshnessDetails, details.details)
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
        freshness=upkeep.freshness or Freshness.unsaid,
        review_on=upkeep.review_on,
        confirmed_on=upkeep.confirmed_on,
        archived_on=upkeep.archived_on,
    )


def _clean_title(text: str) -> str:
    return one_line(text, MAX_LEN_TITLE)


def _clean_summary(text: Any) -> str:
    return one_line(text, MAX_LEN_SUMMARY) if isinstance(text, str) else ""


def _clean_content(html: str) -> str:
    """HTML of somebody else, safe to show. Raises `DocumentError` for what does not fit."""
    return markup.sanitise_received("content", html, MAX_LEN_CONTENT)


def _detect_language(article: Article) -> str:
    """What an article is written in: as its content says, else its title, else English."""
    named = (tag for tag, title in article.name_map.items() if title == article.name)
    said = (article.language or "", *named)
    return next((tag for tag in said if 0 < len(tag) <= MAX_LEN_LANGUAGE), "en")


def _read_translations(article: Article, language: str, said: Any) -> dict[str, dict[str, str]]:
    """Title, content and what is `said` as summaries, in other languages than its own."""
    summaries = said if isinstance(said, Mapping) else {}
    tags = [*article.name_map, *article.content_map]
    short = [tag for tag in dict.fromkeys(tags) if len(tag) <= MAX_LEN_LANGUAGE]
    others = [tag for tag in short if tag != language]
    return {
        tag: {
            "title": _clean_title(article.name_map.get(tag, "")),
            "content": _clean_content(article.content_map.get(tag, "")),
            "summary": _clean_summary(summaries.get(tag)),
        }
        for tag in others[:MAX_TRANSLATIONS]
    }
