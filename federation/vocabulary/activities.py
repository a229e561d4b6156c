"""Activities: who does what with which object, and for whom (ActivityPub section 6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, Self

from federation.errors import DocumentError
from federation.properties import (
    JsonObject,
    format_time,
    get_text,
    id_of,
    ids_of,
    one_or_many,
    parse_time,
)
from federation.vocabulary.context import drop_empty, with_context, without_context
from federation.vocabulary.required import required_id, required_type

MAX_LEN_TYPE = 100
MAX_OBJECTS = 100


@dataclass(frozen=True)
class Activity:
    """Any activity. `raw` is all of the document.

    `object` is None where it has none or several; `objects` are the ids of all of them.
    """

    id: str
    type: str
    actor: str
    object: str | JsonObject | None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    published: datetime | None = None
    objects: tuple[str, ...] = ()
    target: str | None = None
    audience: str | None = None
    content: str | None = None
    raw: JsonObject = field(default_factory=dict, repr=False)

    @property
    def object_id(self) -> str | None:
        return id_of(self.object)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` without an id, a type or an actor."""
        kind = required_type(document)
        if len(kind) > MAX_LEN_TYPE:
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
            published=parse_time(document.get("published")),
            objects=ids_of(objects)[:MAX_OBJECTS],
            target=id_of(document.get("target")),
            audience=id_of(document.get("audience")),
            content=get_text(document, "content"),
            raw=dict(document),
        )

    def dump(self) -> JsonObject:
        """The document, with the context it came with or else ours."""
        if self.raw:
            return self.raw
        about = without_context(self.object) if isinstance(self.object, dict) else self.object
        return with_context(
            drop_empty(
                {
                    "id": self.id,
                    "type": self.type,
                    "actor": self.actor,
                    "published": format_time(self.published) if self.published else None,
                    "to": list(self.to),
                    "cc": list(self.cc),
                    "audience": self.audience,
                    "content": self.content,
                    "object": about or list(self.objects),
                    "target": self.target,
                }
            )
        )


ActivityObject = str | JsonObject
Recipients = Iterable[str]


class ActivityFactory(Protocol):
    """Makes an activity of one type. `audience` is the Group for which it is (FEP-1b12)."""

    def __call__(
        self,
        uri: str,
        actor: str,
        object: ActivityObject,  # noqa: A002 -- the vocabulary's word
        to: Recipients = (),
        cc: Recipients = (),
        audience: str | None = None,
    ) -> JsonObject: ...


def _factory(kind: str) -> ActivityFactory:
    def make(
        uri: str,
        actor: str,
        object: ActivityObject,  # noqa: A002
        to: Recipients = (),
        cc: Recipients = (),
        audience: str | None = None,
    ) -> JsonObject:
        return Activity(uri, kind, actor, object, tuple(to), tuple(cc), audience=audience).dump()

    return make


# `actor` made `object`, embedded.
create = _factory("Create")
# `object`, embedded whole, is now like this.
update = _factory("Update")
# `object`, an id or a Tombstone, is no more.
delete = _factory("Delete")
# `actor` likes `object`.
like = _factory("Like")
# `actor` passes `object` on, by its id; or the activity of somebody else, embedded with its proof.
announce = _factory("Announce")


def follow(uri: str, actor: str, followed: str, to: Recipients = ()) -> JsonObject:
    """`actor` asks to follow `followed`, to whom it is addressed unless `to` says otherwise."""
    return Activity(uri, "Follow", actor, followed, tuple(to) or (followed,)).dump()


def accept(uri: str, actor: str, asked: ActivityObject, to: Recipients = ()) -> JsonObject:
    """`actor` says yes to the activity `asked`, embedded or by id."""
    return Activity(uri, "Accept", actor, asked, tuple(to) or _requester(asked)).dump()


def reject(uri: str, actor: str, asked: ActivityObject, to: Recipients = ()) -> JsonObject:
    """`actor` says no to the activity `asked`, embedded or by id."""
    return Activity(uri, "Reject", actor, asked, tuple(to) or _requester(asked)).dump()


def undo(
    uri: str, actor: str, undone: ActivityObject, to: Recipients = (), cc: Recipients = ()
) -> JsonObject:
    """`actor` takes back its activity `undone`, which says to whom unless `to` does."""
    if not isinstance(undone, dict):
        return Activity(uri, "Undo", actor, undone, tuple(to), tuple(cc)).dump()
    to, cc = tuple(to) or ids_of(undone.get("to")), tuple(cc) or ids_of(undone.get("cc"))
    return Activity(uri, "Undo", actor, undone, to, cc).dump()


def block(uri: str, actor: str, blocked: str, to: Recipients = ()) -> JsonObject:
    """`actor` wants nothing more of `blocked`, to whom it goes unless `to` says otherwise."""
    return Activity(uri, "Block", actor, blocked, tuple(to) or (blocked,)).dump()


def flag(
    uri: str, actor: str, objects: Iterable[str], content: str = "", to: Recipients = ()
) -> JsonObject:
    """`actor` reports `objects`, the ids of an actor and of what it wrote; `content` says why."""
    return Activity(
        uri, "Flag", actor, None, tuple(to), objects=tuple(objects), content=content or None
    ).dump()


def move(uri: str, old: str, new: str, to: Recipients = (), cc: Recipients = ()) -> JsonObject:
    """The actor `old` is from now on `new`, which names it in `alsoKnownAs`."""
    return Activity(uri, "Move", old, old, tuple(to), tuple(cc), target=new).dump()


def add(
    uri: str, actor: str, thing: str, to_what: str, to: Recipients = (), cc: Recipients = ()
) -> JsonObject:
    """`actor` adds `thing` to what has the id `to_what`, of the actor in `to`."""
    return Activity(uri, "Add", actor, thing, tuple(to), tuple(cc), target=to_what).dump()


def remove(
    uri: str, actor: str, thing: str, from_what: str, to: Recipients = (), cc: Recipients = ()
) -> JsonObject:
    """`actor` takes `thing` away from what has the id `from_what`, of the actor in `to`."""
    return Activity(uri, "Remove", actor, thing, tuple(to), tuple(cc), target=from_what).dump()


def _requester(asked: ActivityObject) -> tuple[str, ...]:
    return ids_of(asked.get("actor")) if isinstance(asked, dict) else ()
