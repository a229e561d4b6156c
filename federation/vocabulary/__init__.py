"""The documents we speak in: parsed into typed objects, and dumped back.

Every type has `parse(document)`, which raises only `DocumentError`, and `dump()`.
"""

from collections.abc import Mapping
from typing import Any

from federation.reading import Document, id_of, ids_of, one_or_many, type_of
from federation.vocabulary.activities import (
    Activity,
    accept,
    create,
    delete,
    follow,
    reject,
    undo,
    update,
)
from federation.vocabulary.actors import ACTOR_TYPES, Actor
from federation.vocabulary.collections import PAGE, WHOLE, Collection, CollectionPage
from federation.vocabulary.context import CONTEXT, with_context, without_context
from federation.vocabulary.objects import Article, Note, ProjectDetails, Tombstone
from federation.vocabulary.parsing import parse_json

Typed = Activity | Actor | Article | Note | Tombstone | Collection | CollectionPage


def parse(document: Mapping[str, Any]) -> Typed:
    """A document as its type; whatever has an actor and an object is an activity. Raises
    `DocumentError`.
    """
    kind = type_of(document)
    if kind in ACTOR_TYPES:
        return Actor.parse(document)
    if kind in WHOLE:
        return Collection.parse(document)
    if kind in PAGE:
        return CollectionPage.parse(document)
    if kind == "Article":
        return Article.parse(document)
    if kind == "Note":
        return Note.parse(document)
    if kind == "Tombstone":
        return Tombstone.parse(document)
    return Activity.parse(document)


__all__ = [
    "ACTOR_TYPES",
    "CONTEXT",
    "Activity",
    "Actor",
    "Article",
    "Collection",
    "CollectionPage",
    "Document",
    "Note",
    "ProjectDetails",
    "Tombstone",
    "Typed",
    "accept",
    "create",
    "delete",
    "follow",
    "id_of",
    "ids_of",
    "one_or_many",
    "parse",
    "parse_json",
    "reject",
    "type_of",
    "undo",
    "update",
    "with_context",
    "without_context",
]
