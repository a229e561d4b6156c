"""Activities: who does what with which object, and for whom (ActivityPub section 6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from federation.errors import DocumentError
from federation.reading import Document, id_of, ids_of, moment, one_or_many, written
from federation.vocabulary.context import present, with_context, without_context
from federation.vocabulary.required import required_id, required_type

LONGEST_TYPE = 100


@dataclass(frozen=True)
class Activity:
    """Any activity. `object` is None where it has none or several; `raw` is all of the document."""

    id: str
    type: str
    actor: str
    object: str | Document | None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    published: datetime | None = None
    raw: Document = field(default_factory=dict, repr=False)

    @property
    def object_id(self) -> str | None:
        return id_of(self.object)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` without an id, a type or an actor."""
        kind = required_type(document)
        if len(kind) > LONGEST_TYPE:
            raise DocumentError("type", "too long")
        objects = one_or_many(document.get("object"))
        only = objects[0] if len(objects) == 1 else None
        return cls(
            id=required_id(document, "id"),
            type=kind,
            actor=required_id(document, "actor"),
            object=only if isinstance(only, str | dict) else None,
            to=ids_of(document.get("to")),
            cc=ids_of(document.get("cc")),
            published=moment(document.get("published")),
            raw=dict(document),
        )

    def dump(self) -> Document:
        """The document, with the context it came with or else ours."""
        if self.raw:
            return self.raw
        written_object = (
            without_context(self.object) if isinstance(self.object, dict) else self.object
        )
        return with_context(
            present(
                {
                    "id": self.id,
                    "type": self.type,
                    "actor": self.actor,
                    "published": written(self.published) if self.published else None,
                    "to": list(self.to),
                    "cc": list(self.cc),
                    "object": written_object,
                }
            )
        )


Object = str | Document
Recipients = Iterable[str]


def create(
    uri: str,
    actor: str,
    object: Object,  # noqa: A002 -- the vocabulary's word
    to: Recipients = (),
    cc: Recipients = (),
) -> Document:
    """`actor` made `object`."""
    return Activity(uri, "Create", actor, object, tuple(to), tuple(cc)).dump()


def update(
    uri: str,
    actor: str,
    object: Object,  # noqa: A002
    to: Recipients = (),
    cc: Recipients = (),
) -> Document:
    """`object`, given whole, is now like this."""
    return Activity(uri, "Update", actor, object, tuple(to), tuple(cc)).dump()


def delete(
    uri: str,
    actor: str,
    object: Object,  # noqa: A002
    to: Recipients = (),
    cc: Recipients = (),
) -> Document:
    """`object`, an id or a Tombstone, is no more."""
    return Activity(uri, "Delete", actor, object, tuple(to), tuple(cc)).dump()


def follow(uri: str, actor: str, followed: str, to: Recipients = ()) -> Document:
    """`actor` asks to follow `followed`, to whom it is addressed unless `to` says otherwise."""
    return Activity(uri, "Follow", actor, followed, tuple(to) or (followed,)).dump()


def accept(uri: str, actor: str, asked: Object, to: Recipients = ()) -> Document:
    """`actor` says yes to the activity `asked`, embedded or by id."""
    return Activity(uri, "Accept", actor, asked, tuple(to) or _asker(asked)).dump()


def reject(uri: str, actor: str, asked: Object, to: Recipients = ()) -> Document:
    """`actor` says no to the activity `asked`, embedded or by id."""
    return Activity(uri, "Reject", actor, asked, tuple(to) or _asker(asked)).dump()


def undo(
    uri: str, actor: str, undone: Object, to: Recipients = (), cc: Recipients = ()
) -> Document:
    """`actor` takes back its activity `undone`, which says to whom unless `to` does."""
    if not isinstance(undone, dict):
        return Activity(uri, "Undo", actor, undone, tuple(to), tuple(cc)).dump()
    to, cc = tuple(to) or ids_of(undone.get("to")), tuple(cc) or ids_of(undone.get("cc"))
    return Activity(uri, "Undo", actor, undone, to, cc).dump()


def _asker(asked: Object) -> tuple[str, ...]:
    return ids_of(asked.get("actor")) if isinstance(asked, dict) else ()
