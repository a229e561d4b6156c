"""Activities and the functions that build them (ActivityPub section 6)."""

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
from federation.vocabulary.activity_types import (
    ACCEPT,
    ADD,
    ANNOUNCE,
    BLOCK,
    CREATE,
    DELETE,
    FLAG,
    FOLLOW,
    LIKE,
    MOVE,
    REJECT,
    REMOVE,
    UNDO,
    UPDATE,
)
from federation.vocabulary.context import drop_empty, with_context, without_context
from federation.vocabulary.required import required_id, required_type

MAX_LEN_TYPE = 100
MAX_OBJECTS = 100


@dataclass(frozen=True)
class Activity:
    """An activity of any type. `raw` is the whole document.

    `object` is None if the activity has none or several; `objects` holds the ids of all of them.
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
    result: str | None = None
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
        sole_object = objects[0] if len(objects) == 1 else None
        return cls(
            id=required_id(document, "id"),
            type=kind,
            actor=required_id(document, "actor"),
            object=sole_object if isinstance(sole_object, str | dict) else None,
            to=ids_of(document.get("to")),
            cc=ids_of(document.get("cc")),
            published=parse_time(document.get("published")),
            objects=ids_of(objects)[:MAX_OBJECTS],
            target=id_of(document.get("target")),
            audience=id_of(document.get("audience")),
            content=get_text(document, "content"),
            result=id_of(document.get("result")),
            raw=dict(document),
        )

    def dump(self) -> JsonObject:
        """The document, with the context that it was received with, else with ours."""
        if self.raw:
            return self.raw
        embedded = without_context(self.object) if isinstance(self.object, dict) else self.object
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
                    "object": embedded or list(self.objects),
                    "target": self.target,
                    "result": self.result,
                }
            )
        )


ActivityObject = str | JsonObject
Recipients = Iterable[str]


class ActivityFactory(Protocol):
    """Builds activities of one type. `audience` is the Group they belong to (FEP-1b12)."""

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


# `actor` created `object`, which is embedded.
create = _factory(CREATE)
# `object`, embedded in full, is the new version.
update = _factory(UPDATE)
# `object`, an id or a Tombstone, was deleted.
delete = _factory(DELETE)
# `actor` likes `object`.
like = _factory(LIKE)
# `actor` shares `object`, by its id; or forwards another actor's activity, embedded with its proof.
announce = _factory(ANNOUNCE)


def follow(uri: str, actor: str, followed: str, to: Recipients = ()) -> JsonObject:
    """`actor` asks to follow `followed`, the recipient unless `to` is given."""
    return Activity(uri, FOLLOW, actor, followed, tuple(to) or (followed,)).dump()


def accept(uri: str, actor: str, request: ActivityObject, to: Recipients = ()) -> JsonObject:
    """`actor` accepts the activity `request`, embedded or by id."""
    return Activity(uri, ACCEPT, actor, request, tuple(to) or _requester(request)).dump()


def reject(uri: str, actor: str, request: ActivityObject, to: Recipients = ()) -> JsonObject:
    """`actor` rejects the activity `request`, embedded or by id."""
    return Activity(uri, REJECT, actor, request, tuple(to) or _requester(request)).dump()


def undo(
    uri: str, actor: str, activity: ActivityObject, to: Recipients = (), cc: Recipients = ()
) -> JsonObject:
    """`actor` undoes its own `activity`, whose recipients are used unless `to` or `cc` is given."""
    if not isinstance(activity, dict):
        return Activity(uri, UNDO, actor, activity, tuple(to), tuple(cc)).dump()
    to, cc = tuple(to) or ids_of(activity.get("to")), tuple(cc) or ids_of(activity.get("cc"))
    return Activity(uri, UNDO, actor, activity, to, cc).dump()


def block(uri: str, actor: str, blocked: str, to: Recipients = ()) -> JsonObject:
    """`actor` blocks `blocked`, the recipient unless `to` is given."""
    return Activity(uri, BLOCK, actor, blocked, tuple(to) or (blocked,)).dump()


def flag(
    uri: str, actor: str, objects: Iterable[str], content: str = "", to: Recipients = ()
) -> JsonObject:
    """`actor` reports `objects`: ids of an actor and of its posts. `content` is the reason."""
    return Activity(
        uri, FLAG, actor, None, tuple(to), objects=tuple(objects), content=content or None
    ).dump()


def move(uri: str, old: str, new: str, to: Recipients = (), cc: Recipients = ()) -> JsonObject:
    """The actor `old` moved to `new`, which must list it in `alsoKnownAs`."""
    return Activity(uri, MOVE, old, old, tuple(to), tuple(cc), target=new).dump()


def add(
    uri: str, actor: str, item: str, target: str, to: Recipients = (), cc: Recipients = ()
) -> JsonObject:
    """`actor` adds `item` to the object or collection `target` of the actor in `to`."""
    return Activity(uri, ADD, actor, item, tuple(to), tuple(cc), target=target).dump()


def remove(
    uri: str, actor: str, item: str, target: str, to: Recipients = (), cc: Recipients = ()
) -> JsonObject:
    """`actor` removes `item` from the object or collection `target` of the actor in `to`."""
    return Activity(uri, REMOVE, actor, item, tuple(to), tuple(cc), target=target).dump()


def _requester(request: ActivityObject) -> tuple[str, ...]:
    return ids_of(request.get("actor")) if isinstance(request, dict) else ()
