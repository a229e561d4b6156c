"""Converts a statement to its ActivityPub document and back. Pure: no database, no network."""

from federation.errors import DocumentError
from federation.vocabulary import Relationship, Tombstone
from federation.vocabulary.context import NAMESPACE
from node.projects.details import RelationKind
from node.same_need.models import SameNeedStatement

# Relations that a third council may state; all others are for the projects' own councils.
RELATION_KINDS = (RelationKind.identical, RelationKind.similar)


def to_relationship(statement: SameNeedStatement) -> Relationship:
    return Relationship(
        id=statement.uri,
        attributed_to=statement.author.uri,
        subject=statement.first_uri,
        object=statement.second_uri,
        relationship=f"{NAMESPACE}{statement.kind.value}",
        published=statement.at,
    )


def to_tombstone(statement: SameNeedStatement) -> Tombstone:
    return Tombstone(id=statement.uri, former_type="Relationship")


def parse_kind(document: Relationship) -> RelationKind:
    """Raises `DocumentError` for a relation that only the projects' own councils may state."""
    for kind in RELATION_KINDS:
        if document.relationship == f"{NAMESPACE}{kind.value}":
            return kind
    raise DocumentError("relationship", "not a relationship that other councils can state")
