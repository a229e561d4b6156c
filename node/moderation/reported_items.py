"""What a report is about: a project, an update, a comment, or somebody who acts."""

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
# An id of ours names one row; of each kind the whole list is asked for at once.
REPORTABLE_MODELS = (Project, Update, Comment, Actor)


@dataclass(frozen=True)
class ReportedItem:
    """One thing that is reported. `kind` is project, update, comment, actor, or gone.

    `thing` is what a moderator can take off our pages, None where there is nothing of the kind.
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
    """Those of some ids that something here has, in their order."""
    found: set[str] = set()
    for kind in REPORTABLE_MODELS:
        found |= set(session.scalars(select(kind.uri).where(kind.uri.in_(uris))))
    return [uri for uri in uris if uri in found]


def list_items(session: Session, uris: Sequence[str]) -> list[ReportedItem]:
    """What has these ids, in their order; what is no longer here is `gone`."""
    return [find_item(session, uri) for uri in uris]


def find_item(session: Session, uri: str) -> ReportedItem:
    project = session.scalar(select(Project).where(Project.uri == uri))
    if project is not None and project.state is ProjectState.published:
        thing = None if project.is_local else project
        text = _excerpt(project.content or project.summary)
        author = project.council.actor
        return ReportedItem(uri, "project", project.title, text, project.url, author, thing)
    update = session.scalar(select(Update).where(Update.uri == uri))
    if update is not None and update.state is not UpdateState.deleted:
        title, text = update.project.title, _excerpt(update.content)
        return ReportedItem(uri, "update", title, text, update.url, update.author)
    comment = session.scalar(select(Comment).where(Comment.uri == uri))
    if comment is not None and comment.state is not CommentState.deleted:
        title, text = comment.project.title, _excerpt(comment.content)
        return ReportedItem(uri, "comment", title, text, comment.url, comment.author, comment)
    actor = session.scalar(select(Actor).where(Actor.uri == uri))
    if actor is not None:
        return ReportedItem(uri, "actor", actor.name, _excerpt(actor.about), actor.url, actor)
    return ReportedItem(uri, "gone")


def _excerpt(html: str) -> str:
    text = one_line(html_to_text(html), MAX_LEN_EXCERPT + 1)
    return text if len(text) <= MAX_LEN_EXCERPT else f"{text[:MAX_LEN_EXCERPT].rstrip()}…"
