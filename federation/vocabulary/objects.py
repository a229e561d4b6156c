"""Objects of activities: Article (projects), Note (updates, comments), Relationship, Tombstone."""

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
from federation.vocabulary.context import AS2_CONTEXT, drop_empty, with_context
from federation.vocabulary.projects import (
    ProjectDetails,
    get_details,
    get_own_property,
    get_revision,
)
from federation.vocabulary.required import required_author, required_id, required_type

MAX_MENTIONS = 100
MAX_CHOICES = 50
# The types that other servers use for replies.
REPLY_TYPES = frozenset({"Note", "Page", "Article", "Question"})
# A summary of these types is a content warning; of other types only if they are `sensitive`.
WARNING_TYPES = frozenset({"Note", "Question"})
TITLED_TYPES = frozenset({"Page", "Article", "Question"})
AS2_MEDIA_TYPE = f'application/ld+json; profile="{AS2_CONTEXT}"'


@dataclass(frozen=True, kw_only=True)
class TextObject:
    """The properties that Article and Note share. `content` is HTML.

    `context` is the collection of the discussion (FEP-7888), `audience` the Group that the object
    belongs to (FEP-1b12). `language` is the tag of `content`; `content_map` maps tags to
    translations. `license` is the address of the text's licence (schema.org).
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
    """An article; a project if `project` is not None.

    `name` is plain text, `name_map` maps language tags to translations. `full_document` is the
    address of the `ProjectDocument`, given as an object link (FEP-e232).
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
        """Raises `DocumentError` for another type, or without an id or author."""
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
        """The document; without a JSON-LD context to embed it in another."""
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
    """A short text, such as an update or a comment on a project.

    In our own namespace, an update has `project`, the id of its project; `revision`, a token that
    changes with every edit; and `details`, a JSON literal with the project's state (FEDERATION.md).
    `mentions` maps the ids of mentioned actors to their addresses (`@name@host`). `warning` is the
    content warning, in plain text. For the other `REPLY_TYPES`, the title is put before `content`,
    and the options of a poll after it.
    """

    in_reply_to: str | None = None
    warning: str = ""
    project: str | None = None
    revision: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    mentions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, document: Mapping[str, Any], types: Collection[str] = ("Note",)) -> Self:
        """Raises `DocumentError` for a type not in `types`, or without an id or author."""
        object_type = required_type(document, types)
        parsed = _parse_common(document)
        parsed["content"] = _add_title_and_choices(document, object_type, parsed["content"])
        hides = object_type in WARNING_TYPES or document.get("sensitive") is True
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
        """The document; without a JSON-LD context to embed it in another."""
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
    """A statement by `attributed_to` that `subject` and `object`, of any owner, are related."""

    id: str
    attributed_to: str
    subject: str
    object: str
    relationship: str
    published: datetime | None = None

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for another type, or without a subject or object."""
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
        """The document; without a JSON-LD context to embed it in another."""
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
    """The placeholder for a deleted object."""

    id: str
    former_type: str | None = None
    deleted: datetime | None = None

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for another type, or without an id."""
        required_type(document, ("Tombstone",))
        return cls(
            id=required_id(document, "id"),
            former_type=type_of({"type": document.get("formerType")}) or None,
            deleted=parse_time(document.get("deleted")),
        )

    def dump(self, *, context: bool = True) -> JsonObject:
        """The document; without a JSON-LD context to embed it in another."""
        document = drop_empty(
            {
                "id": self.id,
                "type": "Tombstone",
                "formerType": self.former_type,
                "deleted": format_time(self.deleted) if self.deleted else None,
            }
        )
        return with_context(document) if context else document


def _add_title_and_choices(document: Mapping[str, Any], object_type: str, content: str) -> str:
    """Add the title and the options of a poll to the content, both escaped.

    A Note with a name and no content is a vote in a poll.
    """
    name = escape(get_text(document, "name") or "")
    if name and (object_type in TITLED_TYPES or not content):
        content = f"<p><strong>{name}</strong></p>{content}"
    options = one_or_many(document.get("oneOf")) + one_or_many(document.get("anyOf"))
    choices = [
        get_text(item, "name") or "" for item in options[:MAX_CHOICES] if isinstance(item, dict)
    ]
    items = "".join(f"<li>{escape(choice)}</li>" for choice in choices if choice)
    return f"{content}<ul>{items}</ul>" if items and object_type == "Question" else content


def _parse_common(document: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a `TextObject`, by field name."""
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
        "language": next((tag for tag, text in by_language.items() if text == content), None),
        "content_map": by_language,
    }


def _dump_common(text_object: TextObject) -> JsonObject:
    return {
        "content": text_object.content,
        "contentMap": _language_map(
            text_object.language, text_object.content, text_object.content_map
        ),
        "attributedTo": text_object.attributed_to,
        "url": text_object.url,
        "context": text_object.context,
        "audience": text_object.audience,
        "license": text_object.license,
        "published": format_time(text_object.published) if text_object.published else None,
        "updated": format_time(text_object.updated) if text_object.updated else None,
        "to": list(text_object.to),
        "cc": list(text_object.cc),
    }


def _language_map(language: str | None, own: str, by_language: Mapping[str, str]) -> dict[str, str]:
    """The map from language tag to text, with the text `own` in `language` first."""
    return ({language: own} if language else {}) | dict(by_language)


def _parse_mentions(document: Mapping[str, Any]) -> dict[str, str]:
    tags = one_or_many(document.get("tag"))[:MAX_MENTIONS]
    mentions = [tag for tag in tags if isinstance(tag, dict) and type_of(tag) == "Mention"]
    return {href: get_text(tag, "name") or "" for tag in mentions if (href := get_link(tag))}


def _dump_document_link(href: str) -> JsonObject:
    return {"type": "Link", "mediaType": AS2_MEDIA_TYPE, "href": href}


def _is_document_link(tag: Mapping[str, Any]) -> bool:
    return type_of(tag) == "Link" and tag.get("mediaType") == AS2_MEDIA_TYPE
