"""ActivityStreams documents as typed objects.

Every type has `parse(document)`, which raises only `DocumentError`, and `dump()`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from federation.properties import JsonObject, id_of, ids_of, one_or_many, type_of
from federation.vocabulary.activities import (
    Activity,
    accept,
    add,
    announce,
    block,
    create,
    delete,
    flag,
    follow,
    like,
    move,
    reject,
    remove,
    undo,
    update,
)
from federation.vocabulary.actors import ACTOR_TYPES, RFC9421_CAPABILITY, ActorDocument
from federation.vocabulary.collections import (
    COLLECTION_TYPES,
    PAGE_TYPES,
    Collection,
    CollectionPage,
)
from federation.vocabulary.context import CONTEXT, with_context, without_context
from federation.vocabulary.objects import REPLY_TYPES, Article, Note, Relationship, Tombstone
from federation.vocabulary.places import Place
from federation.vocabulary.projects import ProjectDetails, ProjectDocument
from federation.vocabulary.strict_json import parse_json

TypedDocument = (
    Activity
    | ActorDocument
    | Article
    | Note
    | ProjectDocument
    | Relationship
    | Tombstone
    | Collection
    | CollectionPage
)


PARSERS: dict[str, Callable[[Mapping[str, Any]], TypedDocument]] = {
    **dict.fromkeys(ACTOR_TYPES, ActorDocument.parse),
    **dict.fromkeys(COLLECTION_TYPES, Collection.parse),
    **dict.fromkeys(PAGE_TYPES, CollectionPage.parse),
    "Article": Article.parse,
    "Document": ProjectDocument.parse,
    "Note": Note.parse,
    "Relationship": Relationship.parse,
    "Tombstone": Tombstone.parse,
}


def parse(document: Mapping[str, Any]) -> TypedDocument:
    """Parse a document by its type; unknown types must be activities. Raises `DocumentError`."""
    return PARSERS.get(type_of(document), Activity.parse)(document)


__all__ = [
    "ACTOR_TYPES",
    "CONTEXT",
    "REPLY_TYPES",
    "RFC9421_CAPABILITY",
    "Activity",
    "ActorDocument",
    "Article",
    "Collection",
    "CollectionPage",
    "JsonObject",
    "Note",
    "Place",
    "ProjectDetails",
    "ProjectDocument",
    "Relationship",
    "Tombstone",
    "TypedDocument",
    "accept",
    "add",
    "announce",
    "block",
    "create",
    "delete",
    "flag",
    "follow",
    "id_of",
    "ids_of",
    "like",
    "move",
    "one_or_many",
    "parse",
    "parse_json",
    "reject",
    "remove",
    "type_of",
    "undo",
    "update",
    "with_context",
    "without_context",
]
