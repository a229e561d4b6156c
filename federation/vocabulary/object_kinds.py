"""The kinds of objects between which their types do not distinguish."""

from collections.abc import Mapping
from typing import Any

from federation.properties import id_of, type_of
from federation.vocabulary.actors import ACTOR_TYPES
from federation.vocabulary.objects import REPLY_TYPES
from federation.vocabulary.projects import ProjectDetails, get_own_property

ACTOR, PROJECT, PROJECT_UPDATE, COMMENT = "actor", "project", "update", "comment"
OBJECT_KINDS = frozenset({ACTOR, PROJECT, PROJECT_UPDATE, COMMENT})


def kind_of(document: Mapping[str, Any]) -> str:
    """One of `OBJECT_KINDS`, else the document's type; empty if it has none."""
    kind = type_of(document)
    if kind in ACTOR_TYPES:
        return ACTOR
    if kind == "Article" and ProjectDetails.parse(document) is not None:
        return PROJECT
    if kind == "Note" and id_of(get_own_property(document, "project")) is not None:
        return PROJECT_UPDATE
    if kind in REPLY_TYPES:
        return COMMENT
    return "" if kind in OBJECT_KINDS else kind
