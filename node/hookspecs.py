"""Every hook a plugin may implement, and the frozen dataclasses that hooks take and give.

A plugin is a module with an entry point in the group `moothall.plugins`; it marks each function
that implements a hook with `node.api.hookimpl`. Such a function may leave out arguments it does
not need. Text that people read is given as `lazy_gettext`, so that it comes out in their language.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import pluggy
from flask import Blueprint
from flask_babel import LazyString
from sqlalchemy.orm import Session

PROJECT_NAME = "moothall"

# The plugin interface of this node. It grows by one when a plugin made for the last would break.
API_VERSION = 1

hookspec = pluggy.HookspecMarker(PROJECT_NAME)
hookimpl = pluggy.HookimplMarker(PROJECT_NAME)

Label: TypeAlias = "str | LazyString"


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
    """Something that may be allowed. `roles` names who has it: officer, moderator, operator."""

    name: str
    label: Label
    roles: frozenset[str]


@dataclass(frozen=True)
class ProjectView:
    """A project as plugins see it. `uri` is its ActivityPub id.

    `token` is its name in this node's addresses, `url` its page where it was published, `phase` a
    word of the Service Manual (or concept, or retired).
    """

    token: str
    uri: str
    url: str
    title: str
    summary: str
    phase: str
    council_name: str
    is_local: bool


@dataclass(frozen=True)
class Section:
    """A section of a page: the plugin's `template` rendered with `context`, under `heading`."""

    heading: Label
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """A plugin's part of the transaction that is under way: kept as a whole or undone as a whole.

    `session` reads and writes; the node commits it. `by` names on whose behalf it happens.
    """

    session: Session
    by: str
    _audit: Callable[[str, str, Mapping[str, Any]], None] = field(repr=False)

    def audit(self, action: str, subject: str, **details: Any) -> None:
        """Record that `by` did `action` (shown after the plugin's name) to `subject`, a URI."""
        self._audit(action, subject, details)


class HookSpecs(Protocol):
    """The hooks, called for one plugin at a time: one that raises is logged and left out."""

    @hookspec
    def plugin_details(self) -> PluginDetails:
        """Say who this is. Required; called first, before anything else of the plugin is used."""

    @hookspec
    def register_blueprints(self) -> list[Blueprint]:
        """Give pages: new blueprints named `<plugin>` or `<plugin>_<more>`, for one application."""

    @hookspec
    def register_navigation(self) -> list[NavigationItem]:
        """Give items of the service navigation. Called once, at the start."""

    @hookspec
    def register_permissions(self) -> list[Permission]:
        """Give permissions, named `<plugin>.<what>`. Called once, at the start."""

    @hookspec
    def project_sections(self, project: ProjectView, work: Work) -> list[Section]:
        """Give sections of the project's page, for everybody who sees it. `work` is for reading."""

    @hookspec
    def project_deleted(self, project: ProjectView, work: Work) -> None:
        """A project was deleted, here or by its own council: forget it, in the same transaction."""
