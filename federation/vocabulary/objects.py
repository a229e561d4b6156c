"""What activities are about: projects (Article), updates (Note), what is no more (Tombstone)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any, Self

from federation.properties import (
    JsonObject,
    format_time,
    get_link,
    get_text,
    id_of,
    ids_of,
    one_or_many,
    parse_time,
    texts_by_language,
    type_of,
)
from federation.vocabulary.context import AS2, drop_empty, with_context
from federation.vocabulary.projects import (
    ProjectDetails,
    get_details,
    get_own_property,
    get_revision,
)
from federation.vocabulary.required import required_author, required_id, required_type

MAX_MENTIONS = 100
MAX_CHOICES = 50
# What answers something on other servers, whatever they call it.
REPLY_TYPES = frozenset({"Note", "Page", "Article", "Question"})
# In these a summary is a content warning; in others only where they are sensitive.
WARNING_TYPES = frozenset({"Note", "Question"})
TITLED_TYPES = frozenset({"Page", "Article", "Question"})
AS2_MEDIA_TYPE = f'application/ld+json; profile="{AS2}"'


@dataclass(frozen=True, kw_only=True)
class TextObject:
    """What an Article and a Note have in common. `content` is HTML.

    `context` is the collection of the discussion it belongs to (FEP-7888), `audience` the Group
    for which it is (FEP-1b12). `content_map` gives the content by language tag; that of `content`
    itself is `language`. `license` is the address of the licence of the text (schema.org).
    """

    id: str
    content: str
    attributed_to: str
    url: str | None = None
    context: str | None = None
    audience: str | None = None
    license: str | None = None
    published: datetime | None = None
    updated: datetime | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    language: str | None = None
    content_map: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Article(TextObject):
    """A project; `project` is None for an article of another kind.

    `name` is plain text, `name_map` the same by language tag. `full_document` is the address of
    the whole project document, linked as FEP-e232 says.
    """

    name: str
    name_map: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[JsonObject, ...] = ()
    project: ProjectDetails | None = None
    full_document: str | None = None
    replies: str | None = None
    likes: str | None = None
    shares: str | None = None

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for what is no Article, or has no id or author."""
        required_type(document, ("Article",))
        tags = tuple(tag for tag in one_or_many(document.get("tag")) if isinstance(tag, dict))
        return cls(
            **_parse_common(document),
            name=get_text(document, "name") or "",
            name_map=texts_by_language(document, "name"),
            tags=tuple(tag for tag in tags if not _is_document_link(tag)),
            project=ProjectDetails.parse(document),
            full_document=next((get_link(tag) for tag in tags if _is_document_link(tag)), None),
        )

    def dump(self, *, context: bool = True) -> JsonObject:
        """The document; without its context where it stands inside another."""
        tags = [
            *self.tags,
            *([_dump_document_link(self.full_document)] if self.full_document else []),
        ]
        document = drop_empty(
            {
                "id": self.id,
                "type": "Article",
                "name": self.name,
                "nameMap": _language_map(self.language, self.name, self.name_map),
                **_dump_common(self),
                "replies": self.replies,
                "likes": self.likes,
                "shares": self.shares,
                "tag": tags,
                **(self.project.dump() if self.project else {}),
            }
        )
        return with_context(document) if context else document


@dataclass(frozen=True, kw_only=True)
class Note(TextObject):
    """A short text, such as an update of a project or a comment on it.

    `project` is the id of the project that it is an update of, and `revision` a token that is new
    with each change of it, both in our own namespace, as is `details`: one JSON literal, which says
    how far the project can be relied on now (FEDERATION.md). `mentions` are the actors who are
    spoken to: their addresses (`@name@host`) by their ids. `warning` is the plain text behind which
    its author hides it. Of other types that answer something (`REPLIES`), `content` begins with the
    title, and ends with what a poll lets choose from.
    """

    in_reply_to: str | None = None
    warning: str = ""
    project: str | None = None
    revision: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    mentions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, document: Mapping[str, Any], types: Collection[str] = ("Note",)) -> Self:
        """Raises `DocumentError` for what is of none of `types`, or has no id or author."""
        kind = required_type(document, types)
        parsed = _parse_common(document)
        parsed["content"] = _add_title_and_choices(document, kind, parsed["content"])
        hides = kind in WARNING_TYPES or document.get("sensitive") is True
        return cls(
            **parsed,
            warning=(get_text(document, "summary") or "") if hides else "",
            in_reply_to=id_of(document.get("inReplyTo")),
            project=id_of(get_own_property(document, "project")),
            revision=get_revision(document),
            details=get_details(document),
            mentions=_parse_mentions(document),
        )

    def dump(self, *, context: bool = True) -> JsonObject:
        """The document; without its JSON-LD context where it stands inside another."""
        document = drop_empty(
            {
                "id": self.id,
                "type": "Note",
                "inReplyTo": self.in_reply_to,
                "project": self.project,
                "revision": self.revision or None,
                "details": self.details or None,
                **_dump_common(self),
                "tag": [
                    {"type": "Mention", "href": href, "name": name}
                    for href, name in self.mentions.items()
                ],
            }
        )
        return with_context(document) if context else document


@dataclass(frozen=True, kw_only=True)
class Relationship:
    """That `attributed_to` says how `subject` and `object`, which may be of others, are related."""

    id: str
    attributed_to: str
    subject: str
    object: str
    relationship: str
    published: datetime | None = None

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for what is no Relationship, or lacks one of its ends."""
        required_type(document, ("Relationship",))
        return cls(
            id=required_id(document, "id"),
            attributed_to=required_author(document),
            subject=required_id({"subject": id_of(document.get("subject"))}, "subject"),
            object=required_id({"object": id_of(document.get("object"))}, "object"),
            relationship=id_of(document.get("relationship")) or "",
            published=parse_time(document.get("published")),
        )

    def dump(self, *, context: bool = True) -> JsonObject:
        """The document; without its context where it stands inside another."""
        document = drop_empty(
            {
                "id": self.id,
                "type": "Relationship",
                "attributedTo": self.attributed_to,
                "subject": self.subject,
                "object": self.object,
                "relationship": self.relationship,
                "published": format_time(self.published) if self.published else None,
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
            deleted=parse_time(document.get("deleted")),
        )

    def dump(self, *, context: bool = True) -> JsonObject:
        """The document; without its context where it stands inside another."""
        document = drop_empty(
            {
                "id": self.id,
                "type": "Tombstone",
                "formerType": self.former_type,
                "deleted": format_time(self.deleted) if self.deleted else None,
            }
        )
        return with_context(document) if context else document


def _add_title_and_choices(document: Mapping[str, Any], kind: str, content: str) -> str:
    """The content with what other types say beside it. A Note with a name and no content is the
    answer to a poll.
    """
    name = escape(get_text(document, "name") or "")
    if name and (kind in TITLED_TYPES or not content):
        content = f"<p><strong>{name}</strong></p>{content}"
    given = one_or_many(document.get("oneOf")) + one_or_many(document.get("anyOf"))
    choices = [
        get_text(item, "name") or "" for item in given[:MAX_CHOICES] if isinstance(item, dict)
    ]
    listed = "".join(f"<li>{escape(choice)}</li>" for choice in choices if choice)
    return f"{content}<ul>{listed}</ul>" if listed and kind == "Question" else content


def _parse_common(document: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a `Writing`."""
    content = get_text(document, "content") or ""
    by_language = texts_by_language(document, "content")
    return {
        "id": required_id(document, "id"),
        "content": content,
        "attributed_to": required_author(document),
        "url": get_link(document.get("url")),
        "context": id_of(document.get("context")),
        "audience": id_of(document.get("audience")),
        "license": id_of(document.get("license")),
        "published": parse_time(document.get("published")),
        "updated": parse_time(document.get("updated")),
        "to": ids_of(document.get("to")),
        "cc": ids_of(document.get("cc")),
        "language": next((tag for tag, other in by_language.items() if other == content), None),
        "content_map": by_language,
    }


def _dump_common(writing: TextObject) -> JsonObject:
    return {
        "content": writing.content,
        "contentMap": _language_map(writing.language, writing.content, writing.content_map),
        "attributedTo": writing.attributed_to,
        "url": writing.url,
        "context": writing.context,
        "audience": writing.audience,
        "license": writing.license,
        "published": format_time(writing.published) if writing.published else None,
        "updated": format_time(writing.updated) if writing.updated else None,
        "to": list(writing.to),
        "cc": list(writing.cc),
    }


def _language_map(language: str | None, own: str, by_language: Mapping[str, str]) -> dict[str, str]:
    """A text in each of its languages, its own first."""
    return ({language: own} if language else {}) | dict(by_language)


def _parse_mentions(document: Mapping[str, Any]) -> dict[str, str]:
    tags = one_or_many(document.get("tag"))[:MAX_MENTIONS]
    found = [tag for tag in tags if isinstance(tag, dict) and type_of(tag) == "Mention"]
    return {href: get_text(tag, "name") or "" for tag in found if (href := get_link(tag))}


def _dump_document_link(href: str) -> JsonObject:
    return {"type": "Link", "mediaType": AS2_MEDIA_TYPE, "href": href}


def _is_document_link(tag: Mapping[str, Any]) -> bool:
    return type_of(tag) == "Link" and tag.get("mediaType") == AS2_MEDIA_TYPE
