"""What a report is about: a project, an update, a comment or an actor."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from node.conversations.models import Comment, CommentState
from node.federating.models import Actor
from node.markup import html_to_text
from node.projects.models import Project, ProjectState
from node.text import one_line
from node.updates.models import Update, UpdateState

MAX_LEN_EXCERPT = 500
# An id belongs to one row at most, and each model takes one query for a whole list of ids.
REPORTABLE_MODELS = (Project, Update, Comment, Actor)


@dataclass(frozen=True)
class ReportedItem:
    """One reported object. `kind` is project, update, comment, actor, or gone.

    `hideable` is the row that a moderator can hide on this site, or None.
    """

    uri: str
    kind: str
    title: str = ""
    excerpt: str = ""
    url: str = ""
    author: Actor | None = None
    hideable: Project | Comment | None = None

    @property
    def is_hidden(self) -> bool:
        if isinstance(self.hideable, Comment):
            return self.hideable.state is CommentState.hidden
        return self.hideable is not None and self.hideable.is_hidden


def find_known(session: Session, uris: Sequence[str]) -> list[str]:
    """The ids that belong to an object in our database, in the given order."""
    known: set[str] = set()
    for model in REPORTABLE_MODELS:
        known |= set(session.scalars(select(model.uri).where(model.uri.in_(uris))))
    return [uri for uri in uris if uri in known]


def list_items(session: Session, uris: Sequence[str]) -> list[ReportedItem]:
    """The object behind each id, in the given order. The kind of a missing object is `gone`."""
    return [find_item(session, uri) for uri in uris]


def find_item(session: Session, uri: str) -> ReportedItem:
    project = session.scalar(select(Project).where(Project.uri == uri))
    if project is not None and project.state is ProjectState.published:
        hideable = None if project.is_local else project
        excerpt = _make_excerpt(project.content or project.summary)
        author = project.council.actor
        return ReportedItem(uri, "project", project.title, excerpt, project.url, author, hideable)
    update = session.scalar(select(Update).where(Update.uri == uri))
    if update is not None and update.state is not UpdateState.deleted:
        title, excerpt = update.project.title, _make_excerpt(update.content)
        return ReportedItem(uri, "update", title, excerpt, update.url, update.author)
    comment = session.scalar(select(Comment).where(Comment.uri == uri))
    if comment is not None and comment.state is not CommentState.deleted:
        title, excerpt = comment.project.title, _make_excerpt(comment.content)
        return ReportedItem(uri, "comment", title, excerpt, comment.url, comment.author, comment)
    actor = session.scalar(select(Actor).where(Actor.uri == uri))
    if actor is not None:
        return ReportedItem(uri, "actor", actor.name, _make_excerpt(actor.about), actor.url, actor)
    return ReportedItem(uri, "gone")


def _make_excerpt(html: str) -> str:
    text = one_line(html_to_text(html), MAX_LEN_EXCERPT + 1)
    return text if len(text) <= MAX_LEN_EXCERPT else f"{text[:MAX_LEN_EXCERPT].rstrip()}…"
