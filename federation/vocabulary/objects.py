"""What activities are about: projects (Article), updates (Note), what is no more (Tombstone)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from federation.reading import (
    Document,
    id_of,
    ids_of,
    link,
    moment,
    one_or_many,
    text,
    type_of,
    written,
)
from federation.vocabulary.context import AS2, present, with_context
from federation.vocabulary.required import required_id, required_type

AS2_MEDIA_TYPE = f'application/ld+json; profile="{AS2}"'


@dataclass(frozen=True)
class ProjectDetails:
    """What a project says in our own namespace, beside what every reader of an Article understands.

    `summary` is plain text; `source_markdown` is that of which the Article's content was made.
    """

    summary: str = ""
    phase: str = ""
    source_markdown: str = ""
    version: int = 1
    visibility: str = "public"

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self | None:
        """None where the document says nothing in our namespace."""
        phase, summary = _own(document, "phase"), _own(document, "plainSummary")
        if not isinstance(phase, str) and not isinstance(summary, str):
            return None
        source = document.get("source")
        markdown = source.get("content") if isinstance(source, dict) else None
        version, visibility = _own(document, "projectVersion"), _own(document, "visibility")
        return cls(
            summary=summary if isinstance(summary, str) else "",
            phase=phase if isinstance(phase, str) else "",
            source_markdown=markdown if isinstance(markdown, str) else "",
            version=version if type(version) is int else 1,
            visibility=visibility if isinstance(visibility, str) else "public",
        )

    def dump(self) -> Document:
        """The properties to add to the Article."""
        source = {"content": self.source_markdown, "mediaType": "text/markdown"}
        return {
            "plainSummary": self.summary,
            "phase": self.phase,
            "source": source if self.source_markdown else None,
            "projectVersion": self.version,
            "visibility": self.visibility,
        }


@dataclass(frozen=True)
class Article:
    """A project; `project` is None for an article of another kind.

    `content` is HTML, `name` plain text. `full_document` is the address of the whole project
    document, linked as FEP-e232 says.
    """

    id: str
    name: str
    content: str
    attributed_to: str
    url: str | None = None
    published: datetime | None = None
    updated: datetime | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    tags: tuple[Document, ...] = ()
    project: ProjectDetails | None = None
    full_document: str | None = None

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for what is no Article, or has no id or author."""
        required_type(document, ("Article",))
        tags = tuple(tag for tag in one_or_many(document.get("tag")) if isinstance(tag, dict))
        return cls(
            id=required_id(document, "id"),
            name=text(document, "name") or "",
            content=text(document, "content") or "",
            attributed_to=_author(document),
            url=link(document.get("url")),
            published=moment(document.get("published")),
            updated=moment(document.get("updated")),
            to=ids_of(document.get("to")),
            cc=ids_of(document.get("cc")),
            tags=tuple(tag for tag in tags if not _is_document_link(tag)),
            project=ProjectDetails.parse(document),
            full_document=next((link(tag) for tag in tags if _is_document_link(tag)), None),
        )

    def dump(self, *, context: bool = True) -> Document:
        """The document; without its context where it stands inside another."""
        tags = [*self.tags, *([_document_link(self.full_document)] if self.full_document else [])]
        document = present(
            {
                "id": self.id,
                "type": "Article",
                "name": self.name,
                "content": self.content,
                "attributedTo": self.attributed_to,
                "url": self.url,
                "published": written(self.published) if self.published else None,
                "updated": written(self.updated) if self.updated else None,
                "to": list(self.to),
                "cc": list(self.cc),
                "tag": tags,
                **(self.project.dump() if self.project else {}),
            }
        )
        return with_context(document) if context else document


@dataclass(frozen=True)
class Note:
    """A short text: `content` is HTML. `context` is the project it belongs to."""

    id: str
    content: str
    attributed_to: str
    url: str | None = None
    in_reply_to: str | None = None
    context: str | None = None
    published: datetime | None = None
    updated: datetime | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for what is no Note, or has no id or author."""
        required_type(document, ("Note",))
        return cls(
            id=required_id(document, "id"),
            content=text(document, "content") or "",
            attributed_to=_author(document),
            url=link(document.get("url")),
            in_reply_to=id_of(document.get("inReplyTo")),
            context=id_of(document.get("context")),
            published=moment(document.get("published")),
            updated=moment(document.get("updated")),
            to=ids_of(document.get("to")),
            cc=ids_of(document.get("cc")),
        )

    def dump(self, *, context: bool = True) -> Document:
        """The document; without its JSON-LD context where it stands inside another."""
        document = present(
            {
                "id": self.id,
                "type": "Note",
                "content": self.content,
                "attributedTo": self.attributed_to,
                "url": self.url,
                "inReplyTo": self.in_reply_to,
                "context": self.context,
                "published": written(self.published) if self.published else None,
                "updated": written(self.updated) if self.updated else None,
                "to": list(self.to),
                "cc": list(self.cc),
            }
        )
        return with_context(document) if context else document


@dataclass(frozen=True)
class Tombstone:
    """What stays of something that was deleted."""

    id: str
    former_type: str | None = None
    deleted: datetime | None = None

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for what is no Tombstone, or has no id."""
        required_type(document, ("Tombstone",))
        return cls(
            id=required_id(document, "id"),
            former_type=type_of({"type": document.get("formerType")}) or None,
            deleted=moment(document.get("deleted")),
        )

    def dump(self, *, context: bool = True) -> Document:
        """The document; without its context where it stands inside another."""
        document = present(
            {
                "id": self.id,
                "type": "Tombstone",
                "formerType": self.former_type,
                "deleted": written(self.deleted) if self.deleted else None,
            }
        )
        return with_context(document) if context else document


def _author(document: Mapping[str, Any]) -> str:
    """The first of those it is attributed to."""
    authors = ids_of(document.get("attributedTo"))
    return required_id({"attributedTo": authors[0] if authors else None}, "attributedTo")


def _own(document: Mapping[str, Any], term: str) -> Any:
    """A property of our namespace, as we write it or with its prefix."""
    return document.get(term, document.get(f"moothall:{term}"))


def _document_link(href: str) -> Document:
    return {"type": "Link", "mediaType": AS2_MEDIA_TYPE, "href": href}


def _is_document_link(tag: Mapping[str, Any]) -> bool:
    return type_of(tag) == "Link" and tag.get("mediaType") == AS2_MEDIA_TYPE
