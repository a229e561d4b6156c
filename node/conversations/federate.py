"""Conversion of comments to and from ActivityPub documents, without database or network."""

from dataclasses import dataclass
from datetime import datetime

from federation.addressing import PUBLIC_COLLECTION, Addressing
from federation.errors import DocumentError
from federation.origin import same_origin
from federation.vocabulary import Note, Tombstone
from node import markup
from node.access.visibility import Visibility
from node.conversations.models import Comment
from node.federating.identity import local_uris
from node.federating.models import Actor
from node.projects.federate import build_addressing
from node.text import one_line

MAX_LEN_CONTENT = 20_000
MAX_LEN_WARNING = 300


@dataclass(frozen=True)
class RemoteComment:
    """A comment from another server, validated. `content` is sanitised HTML, `warning` plain."""

    uri: str
    url: str
    author_uri: str
    content: str
    language: str
    warning: str
    published_at: datetime | None
    changed_at: datetime | None


def to_note(comment: Comment, subject_author: Actor) -> Note:
    """Convert a local comment. `subject_author`, who wrote what it replies to, is mentioned."""
    project, author = comment.project, comment.author
    mentioned = (subject_author,) if subject_author.uri != author.uri else ()
    addressed = _build_addressing(comment)
    return Note(
        id=comment.uri,
        content=comment.content,
        attributed_to=author.uri,
        url=comment.url,
        in_reply_to=comment.in_reply_to,
        context=local_uris.project_context(project.uri) if project.is_local else None,
        audience=local_uris.project_group(project.uri) if project.is_local else None,
        published=comment.published_at,
        to=addressed["to"],
        cc=tuple(dict.fromkeys((*addressed["cc"], *(actor.uri for actor in mentioned)))),
        mentions={actor.uri: actor.address for actor in mentioned},
    )


def _build_addressing(comment: Comment) -> Addressing:
    """The recipients of a comment. The owner of a remote project forwards it to the others."""
    project = comment.project
    if project.is_local:
        return build_addressing(project)
    owner = (project.council.actor.uri,)
    is_public = project.visibility is Visibility.public
    return {"to": (PUBLIC_COLLECTION,), "cc": owner} if is_public else {"to": owner, "cc": ()}


def to_tombstone(comment: Comment) -> Tombstone:
    return Tombstone(id=comment.uri, former_type="Note", deleted=comment.changed_at)


def from_note(note: Note) -> RemoteComment:
    """Validate and sanitise a note. Raises `DocumentError` if it is too long or empty."""
    content = markup.sanitise_received("content", note.content, MAX_LEN_CONTENT).strip()
    if not content:
        raise DocumentError("content", "missing")
    url, warning = (
        note.url or "",
        markup.sanitise_received("summary", note.warning, MAX_LEN_CONTENT),
    )
    return RemoteComment(
        uri=note.id,
        url=url if same_origin(url, note.id) else note.id,
        author_uri=note.attributed_to,
        content=content,
        language=note.language or "",
        warning=one_line(markup.html_to_text(warning), MAX_LEN_WARNING),
        published_at=note.published,
        changed_at=note.updated or note.published,
    )
