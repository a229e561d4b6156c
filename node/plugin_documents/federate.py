"""Converts plugin documents to and from ActivityStreams JSON. Pure: no database, no network."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from federation.addressing import PUBLIC_COLLECTION, Addressing, is_public
from federation.errors import DocumentError
from federation.properties import JsonObject, get_text, id_of, parse_time, type_of
from federation.vocabulary import Tombstone, with_context
from federation.vocabulary.context import drop_empty
from federation.vocabulary.projects import get_own_property, get_revision
from federation.vocabulary.required import required_author, required_id
from node.plugin_api.declarations import DocumentType
from node.plugin_documents.fields import clean_fields
from node.plugin_documents.models import PluginDocument
from node.text import one_line

# Types are written with the prefix, so that the JSON-LD context need not list them.
TYPE_PREFIX = "moothall:"
# Characters.
MAX_LEN_NAME = 300


@dataclass(frozen=True)
class RemoteDocument:
    """A document received from another server, validated and sanitised."""

    uri: str
    type: str
    council_uri: str
    project_uri: str | None
    name: str
    fields: dict[str, Any]
    visibility: str
    revision: str
    published_at: datetime | None
    changed_at: datetime | None


def type_names(kind: str) -> tuple[str, str]:
    """The `type` values by which other servers may name a document type."""
    return f"{TYPE_PREFIX}{kind}", kind


def build_addressing(row: PluginDocument) -> Addressing:
    """The `to` and `cc` of a document: followers only, unless it is public."""
    followers = (row.council.actor.followers or "",)
    if row.visibility == "public":
        return {"to": (PUBLIC_COLLECTION,), "cc": followers}
    return {"to": followers, "cc": ()}


def to_document(row: PluginDocument, *, context: bool = True) -> JsonObject:
    """A document as JSON. The plugin's fields are one literal, `details`."""
    addressed = build_addressing(row)
    document = drop_empty(
        {
            "id": row.uri,
            "type": f"{TYPE_PREFIX}{row.type}",
            "name": row.name,
            "attributedTo": row.council.actor.uri,
            "project": row.project_uri,
            "details": row.fields,
            "revision": row.revision,
            "published": row.published_at.isoformat(timespec="seconds"),
            "updated": row.changed_at.isoformat(timespec="milliseconds"),
            "to": list(addressed["to"]),
            "cc": list(addressed["cc"]),
        }
    )
    return with_context(document) if context else document


def to_tombstone(row: PluginDocument) -> Tombstone:
    return Tombstone(id=row.uri, former_type=f"{TYPE_PREFIX}{row.type}", deleted=row.deleted_at)


def from_document(
    document: Mapping[str, Any], types: Mapping[str, DocumentType]
) -> RemoteDocument | None:
    """Parse a received document.

    Returns None if its type is not in `types`. Raises `DocumentError` if it does not match its
    type.
    """
    name = type_of(document).removeprefix(TYPE_PREFIX)
    if name not in types:
        return None
    details = get_own_property(document, "details")
    if details is not None and not isinstance(details, Mapping):
        raise DocumentError("details", "not in a supported format")
    return RemoteDocument(
        uri=required_id(document, "id"),
        type=name,
        council_uri=required_author(document),
        project_uri=id_of(get_own_property(document, "project")),
        name=one_line(get_text(document, "name"), MAX_LEN_NAME),
        fields=clean_fields(types[name], details or {}),
        visibility="public" if is_public(document.get("to"), document.get("cc")) else "peers",
        revision=get_revision(document),
        published_at=parse_time(document.get("published")),
        changed_at=parse_time(document.get("updated")) or parse_time(document.get("published")),
    )
