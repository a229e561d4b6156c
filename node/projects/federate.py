"""A project as an ActivityPub document, and back. Pure: no database, no network."""

from dataclasses import dataclass
from datetime import datetime

from federation.addressing import PUBLIC
from federation.errors import DocumentError
from federation.origin import same_origin
from federation.vocabulary import Article, ProjectDetails, Tombstone
from node import markup
from node.projects.models import Phase, Project

LONGEST_TITLE = 300
LONGEST_SUMMARY = 500
LONGEST_CONTENT = 200_000


@dataclass(frozen=True)
class RemoteProject:
    """What another node says of a project of its own, checked and sanitised."""

    uri: str
    url: str
    council_uri: str
    title: str
    summary: str
    phase: Phase
    content: str
    published_at: datetime | None
    changed_at: datetime | None


def to_article(project: Project) -> Article:
    """The one representation of a local project: an `Article` with its details beside it."""
    return Article(
        id=project.uri,
        name=project.title,
        content=project.content,
        attributed_to=project.council.actor.uri,
        url=project.url,
        published=project.published_at,
        updated=project.changed_at,
        to=(PUBLIC,),
        cc=(project.council.actor.followers or "",),
        project=ProjectDetails(
            summary=project.summary,
            phase=project.phase.value,
            source_markdown=project.brief,
            version=project.version,
        ),
    )


def to_tombstone(project: Project) -> Tombstone:
    return Tombstone(id=project.uri, former_type="Article", deleted=project.deleted_at)


def from_article(article: Article) -> RemoteProject | None:
    """The project that an article describes; None for an article that is not a project.

    Raises `DocumentError` for one whose parts do not fit.
    """
    details = article.project
    if details is None:
        return None
    if not article.attributed_to:
        raise DocumentError("attributedTo", "a project belongs to a council")
    try:
        phase = Phase(details.phase)
    except ValueError:
        raise DocumentError("phase", "not a phase of a project") from None
    content = article.content or ""
    if len(content) > LONGEST_CONTENT:
        raise DocumentError("content", "too long")
    if not markup.is_well_nested(content):
        raise DocumentError("content", "not well nested, or too deeply")
    url = article.url or ""
    return RemoteProject(
        uri=article.id,
        url=url if same_origin(url, article.id) else article.id,
        council_uri=article.attributed_to,
        title=markup.one_line(article.name, LONGEST_TITLE) or "Untitled",
        summary=markup.one_line(details.summary, LONGEST_SUMMARY),
        phase=phase,
        content=markup.sanitise(content),
        published_at=article.published,
        changed_at=article.updated or article.published,
    )
