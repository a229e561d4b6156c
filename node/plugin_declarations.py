"""What plugins declare of themselves: frozen, and the same for as long as `API_VERSION` is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias

from flask_babel import LazyString

from node.plugin_views import Work

Label: TypeAlias = "str | LazyString"
FieldKind = Literal["line", "text", "html", "number", "yes_no", "day", "uri", "json"]
SettingKind = Literal["line", "text", "number", "yes_no", "choice"]
Audience = Literal["public", "peers"]
Topic = Literal["own", "asked", "updates", "projects", "searches"]


@dataclass(frozen=True)
class PluginDetails:
    """What a plugin says of itself.

    `name` is its entry point's name and the prefix of its tables (`<name>__<table>`) and
    permissions (`<name>.<what>`). `migrations` is the folder of its Alembic revisions, None where
    it has no tables; `translations` that of its catalogues
    (`cy/LC_MESSAGES/messages.po`), None where it has none.
    """

    name: str
    label: Label
    version: str
    api_version: int
    about: Label
    migrations: Path | None = None
    translations: Path | None = None


@dataclass(frozen=True)
class NavigationItem:
    """An item of the service navigation. `permission` None: everybody sees it."""

    label: Label
    endpoint: str
    permission: str | None = None


@dataclass(frozen=True)
class Permission:
    """Something that may be allowed. `roles` names who has it: officer, coordinator, moderator,
    operator.
    """

    name: str
    label: Label
    roles: frozenset[str]


@dataclass(frozen=True)
class Section:
    """A section of a page: the plugin's `template` rendered with `context`, under `heading`."""

    heading: Label
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DocumentField:
    """One field of a document that is federated: what it may hold, and at most how much.

    `kind` is `line` or `text` (plain text on one line, or on several), `html` (sanitised), `number`
    (whole or not), `yes_no`, `day` (a `datetime.date`), `uri` (an http or https address) or `json`
    (plain values, lists and dictionaries of them). `most` is in characters; of json, in bytes.
    """

    name: str
    kind: FieldKind = "line"
    is_needed: bool = False
    most: int = 500


@dataclass(frozen=True)
class DocumentType:
    """A kind of document that a plugin federates.

    `name` is its type in Moothall's namespace, such as `ChecklistResult`. `visibility` is for whom
    a document is that does not say: `public`, or `peers` alone. A document has at most `most_bytes`
    as JSON.
    """

    name: str
    label: Label
    fields: tuple[DocumentField, ...]
    visibility: Audience = "peers"
    most_bytes: int = 60_000


@dataclass(frozen=True)
class Facet:
    """Something that projects can be narrowed down by at /projects. `choices` maps each value, a
    word of small letters, digits, `-` and `_`, to what people read.
    """

    name: str
    label: Label
    choices: Mapping[str, Label]


@dataclass(frozen=True)
class DeskStep:
    """Something that waits for a person, with the one thing to do about it: a button called
    `action` that leads to `path`, an address of this node such as `/checklists/abc`.
    """

    title: str
    action: Label
    path: str
    about: str = ""


@dataclass(frozen=True)
class Setting:
    """Something that the operator sets on a page, and code reads with `node.api.setting`.

    `kind` is `line`, `text` (several lines), `number` (a whole one from `least` to `most`),
    `yes_no` (True or False) or `choice` (one of `choices`, which maps values to what people read).
    """

    name: str
    label: Label
    default: str | int | bool
    kind: SettingKind = "line"
    hint: Label = ""
    choices: Mapping[str, Label] = field(default_factory=dict)
    least: int = 0
    most: int = 1_000_000


@dataclass(frozen=True)
class ScheduledJob:
    """Something done again and again: `run` is called `every` so often (a minute at least) by one
    process, in a transaction of its own. What it raises is kept for the operator to see.

    `run` cannot use the network, since everybody who writes would wait for it. `prepare` can: it is
    called first, outside any transaction, and what it returns is the second argument of `run`.
    """

    name: str
    run: Callable[..., None]
    every: timedelta = timedelta(days=1)
    prepare: Callable[[], Any] | None = None


@dataclass(frozen=True)
class Check:
    """A question of `moothall doctor`: `look` returns what is wrong, or an empty text."""

    question: str
    look: Callable[[Work], str]


@dataclass(frozen=True)
class NotificationType:
    """A kind of notices, named `<plugin>.<what>`.

    `sentence` says it, with `%(project)s`, `%(council)s` and whatever `tell` is given besides.
    `topic` is by what a person chooses how to hear of it. `for_followers`: whoever follows the
    project is told; `for_owner`: so is who looks after it.
    """

    name: str
    sentence: LazyString
    topic: Topic = "asked"
    for_followers: bool = False
    for_owner: bool = False
