"""The types with which plugins declare what they add. Stable while `API_VERSION` is the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias

from flask_babel import LazyString

from node.plugin_api.info import Work

Label: TypeAlias = "str | LazyString"
FieldKind = Literal["line", "text", "html", "number", "yes_no", "day", "uri", "json"]
SettingKind = Literal["line", "text", "number", "yes_no", "choice"]
Audience = Literal["public", "peers"]
Topic = Literal["own", "asked", "updates", "projects", "searches"]


@dataclass(frozen=True)
class PluginDetails:
    """A plugin's name and version.

    `name` is that of its entry point, and the prefix of its tables (`<name>__<table>`) and
    permissions (`<name>.<permission>`). `about` is a description for the operator. `migrations` is
    the folder of its Alembic revisions, None if it has no tables; `translations` that of its
    catalogues (`cy/LC_MESSAGES/messages.po`), None if it has none.
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
    """An item of the service navigation, for users with `permission`; None shows it to everyone."""

    label: Label
    endpoint: str
    permission: str | None = None


@dataclass(frozen=True)
class Permission:
    """A permission, granted to `roles`: officer, coordinator, moderator, operator."""

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
    """One field of a federated document.

    `kind` is `line` or `text` (plain text on one line, or on several), `html` (sanitised), `number`
    (an int or a float), `yes_no`, `day` (a `datetime.date`), `uri` (http or https) or `json` (plain
    values, and lists and dictionaries of them). `max_length` is the maximum length in characters;
    for `json`, in bytes.
    """

    name: str
    kind: FieldKind = "line"
    is_required: bool = False
    max_length: int = 500


@dataclass(frozen=True)
class DocumentType:
    """A type of document that a plugin federates.

    `name` is its type in Moothall's namespace, such as `ChecklistResult`. `visibility` is the
    default visibility of a document, `public` or `peers`. A document has at most `max_bytes` as
    JSON.
    """

    name: str
    label: Label
    fields: tuple[DocumentField, ...]
    visibility: Audience = "peers"
    max_bytes: int = 60_000


@dataclass(frozen=True)
class Facet:
    """A filter for projects at /projects. `choices` maps each value, of small letters, digits, `-`
    and `_`, to its label.
    """

    name: str
    label: Label
    choices: Mapping[str, Label]


@dataclass(frozen=True)
class DeskStep:
    """A task on a person's desk, with a button: its text is `action`, and it leads to `path`, a
    path on this node such as `/checklists/abc`.
    """

    title: str
    action: Label
    path: str
    about: str = ""


@dataclass(frozen=True)
class Setting:
    """A setting that the operator changes on a page, and code reads with `node.api.setting`.

    `kind` is `line`, `text` (several lines), `number` (an int from `minimum` to `maximum`),
    `yes_no` (a bool) or `choice` (one of `choices`, which maps values to labels).
    """

    name: str
    label: Label
    default: str | int | bool
    kind: SettingKind = "line"
    hint: Label = ""
    choices: Mapping[str, Label] = field(default_factory=dict)
    minimum: int = 0
    maximum: int = 1_000_000


@dataclass(frozen=True)
class ScheduledJob:
    """A job that runs at the interval `interval`, a minute or more, in one process at a time. `run`
    is called in a transaction of its own. Errors are stored for the operator.

    `run` cannot use the network, since all other writers would wait for it. `prepare` can: it is
    called first, outside any transaction, and its result is the second argument of `run`.
    """

    name: str
    run: Callable[..., None]
    interval: timedelta = timedelta(days=1)
    prepare: Callable[[], Any] | None = None


@dataclass(frozen=True)
class Check:
    """A check of `moothall doctor`: `run` returns what is wrong, or an empty string."""

    question: str
    run: Callable[[Work], str]


@dataclass(frozen=True)
class NotificationType:
    """A type of notifications, named `<plugin>.<type>`.

    `sentence` is the text, with the placeholders `%(project)s`, `%(council)s` and those passed to
    `notify`. `topic` is the group under which users choose how to be notified. `notifies_followers`
    includes the followers of the project, `notifies_owner` its owner.
    """

    name: str
    sentence: LazyString
    topic: Topic = "asked"
    notifies_followers: bool = False
    notifies_owner: bool = False
