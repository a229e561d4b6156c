"""The plugins that are switched on: found, checked, and called so that none can stop the node."""

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, Protocol

import pluggy
import structlog
from flask import Blueprint
from markupsafe import Markup
from sqlalchemy.orm import Session

from node.db import Base, now
from node.errors import SettingsError
from node.hookspecs import (
    API_VERSION,
    PROJECT_NAME,
    HookSpecs,
    NavigationItem,
    Permission,
    PluginDetails,
    ProjectView,
    Section,
    Work,
)
from node.settings import Settings

ENTRY_POINTS = "moothall.plugins"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
FAILURES_KEPT = 50

log = structlog.get_logger(__name__)


class Transaction(Protocol):
    """What is under way when a hook is called, such as a `UnitOfWork`."""

    by: str
    session: Session

    def audit(self, action: str, subject: str, **details: Any) -> None: ...


@dataclass(frozen=True)
class Failure:
    """A hook call that raised, for the operator to see. `error` is its type and text."""

    plugin: str
    hook: str
    error: str
    at: datetime


@dataclass(frozen=True)
class RenderedSection:
    """A section of a page, ready to show."""

    plugin: str
    heading: str
    html: Markup


class Hooks:
    """The plugins of `settings.plugins`, in that order.

    Raises `SettingsError`, naming the plugin, for one that is not installed, cannot be loaded, is
    made for another API version, has a hook that does not exist, or has a table or permission
    without its name in front.
    """

    def __init__(self, settings: Settings) -> None:
        self._manager = pluggy.PluginManager(PROJECT_NAME)
        self._manager.add_hookspecs(HookSpecs)
        self._failures: deque[Failure] = deque(maxlen=FAILURES_KEPT)
        installed = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
        details = []
        for name in dict.fromkeys(settings.plugins):
            if name not in installed:
                raise SettingsError(f"The plugin {name} is switched on but not installed.")
            details.append(self._load(installed[name]))
        self.details: tuple[PluginDetails, ...] = tuple(details)
        self.navigation: tuple[NavigationItem, ...] = tuple(
            item for name in self._names for item in self._registered(name, "register_navigation")
        )
        self.permissions: tuple[Permission, ...] = tuple(
            item for name in self._names for item in self._permissions(name)
        )

    @property
    def failures(self) -> Sequence[Failure]:
        """The last calls that raised in this process, oldest first."""
        return tuple(self._failures)

    def blueprints(self) -> list[Blueprint]:
        """New blueprints of every plugin, for one application."""
        found: list[Blueprint] = []
        for name in self._names:
            with self._guarded(name, "register_blueprints"):
                blueprints: list[Blueprint] = self._items(name, "register_blueprints")
                for blueprint in blueprints:
                    if not f"{blueprint.name}_".startswith(f"{name}_"):
                        raise ValueError(f"a blueprint named {blueprint.name}")
                found += blueprints
        return found

    def project_sections(
        self, transaction: Transaction, project: ProjectView, render: Callable[..., str]
    ) -> list[RenderedSection]:
        """The plugins' sections of a project's page. `render(template, **context)` gives HTML."""
        rendered: list[RenderedSection] = []
        for name in self._names:
            with self._part(name, "project_sections", transaction) as work:
                sections: list[Section] = self._items(
                    name, "project_sections", project=project, work=work
                )
                rendered += [_rendered(name, section, render) for section in sections]
        return rendered

    def project_deleted(self, transaction: Transaction, project: ProjectView) -> None:
        """Tell the plugins, inside the transaction that deletes it."""
        for name in self._names:
            with self._part(name, "project_deleted", transaction) as work:
                self._call(name, "project_deleted", project=project, work=work)

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.details)

    def _call(self, plugin: str, hook: str, **arguments: Any) -> list[Any]:
        """What `plugin`'s implementations of `hook` return: nothing where it has none."""
        others = [other for name, other in self._manager.list_name_plugin() if name != plugin]
        results: list[Any] = self._manager.subset_hook_caller(hook, others)(**arguments)
        return results

    def _items(self, plugin: str, hook: str, **arguments: Any) -> list[Any]:
        return [item for result in self._call(plugin, hook, **arguments) for item in result]

    def _registered(self, plugin: str, hook: str) -> list[Any]:
        found: list[Any] = []
        with self._guarded(plugin, hook):
            found += self._items(plugin, hook)
        return found

    def _permissions(self, plugin: str) -> list[Permission]:
        permissions: list[Permission] = self._registered(plugin, "register_permissions")
        for permission in permissions:
            if not permission.name.startswith(f"{plugin}."):
                raise SettingsError(
                    f"The plugin {plugin} has a permission {permission.name} without its name."
                )
        return permissions

    @contextmanager
    def _part(self, plugin: str, hook: str, transaction: Transaction) -> Iterator[Work]:
        transaction.session.flush()  # what fails here is not the plugin's doing
        with self._guarded(plugin, hook), part_of(transaction, plugin) as work:
            yield work

    @contextmanager
    def _guarded(self, plugin: str, hook: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # plugins are other people's code: theirs must not stop the node
            log.exception("plugin failed", plugin=plugin, hook=hook)
            self._failures.append(Failure(plugin, hook, in_one_line(error), now()))

    def _load(self, point: EntryPoint) -> PluginDetails:
        module = _import(point)
        details = _details(point.name, module)
        try:
            self._manager.register(module, name=point.name)
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            # pluggy's text spans lines and shows where the module lies on this machine.
            text = " ".join(str(error).replace(repr(error.plugin), point.name).split())
            raise SettingsError(
                f"The plugin {point.name} has a hook that does not fit: {text}."
            ) from error
        _check_tables(point)
        return details


def in_one_line(error: Exception) -> str:
    """The type and the first line of an error in a plugin's own code, for the operator."""
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def _rendered(plugin: str, section: Section, render: Callable[..., str]) -> RenderedSection:
    html = render(section.template, **section.context)
    # Escaped already, by the template it was rendered from.
    return RenderedSection(plugin, str(section.heading), Markup(html))  # noqa: S704


@contextmanager
def part_of(transaction: Transaction, plugin: str) -> Iterator[Work]:
    """`plugin`'s part of `transaction`: a session of its own, on a savepoint.

    An exception undoes it alone; otherwise it is committed with the rest, its audit entries too.
    """
    entries: list[tuple[str, str, Mapping[str, Any]]] = []
    transaction.session.flush()
    with Session(
        transaction.session.connection(), join_transaction_mode="create_savepoint"
    ) as session:
        yield Work(session, transaction.by, lambda *entry: entries.append(entry))
        session.commit()
    for action, subject, details in entries:
        transaction.audit(f"{plugin}.{action}", subject, **details)


def _import(point: EntryPoint) -> ModuleType:
    if not NAME.fullmatch(point.name):
        raise SettingsError(
            f"The plugin {point.name} needs a name of small letters, digits and single underscores."
        )
    try:
        module = point.load()
    except Exception as error:  # whatever a stranger's module raises
        raise SettingsError(
            f"The plugin {point.name} cannot be loaded: {in_one_line(error)}."
        ) from error
    if not isinstance(module, ModuleType):
        raise SettingsError(f"The plugin {point.name} must be a module: {point.value}.")
    return module


def _details(name: str, module: ModuleType) -> PluginDetails:
    """Asked before pluggy sees the module: one for another API version may not fit our hooks."""
    try:
        details = module.plugin_details()
    except Exception as error:  # as above
        raise SettingsError(
            f"The plugin {name} does not say who it is: {in_one_line(error)}."
        ) from error
    if not isinstance(details, PluginDetails) or details.name != name:
        raise SettingsError(f"The plugin {name} gives details that are not its own.")
    if details.api_version != API_VERSION:
        raise SettingsError(
            f"The plugin {name} is made for version {details.api_version} of the plugin interface;"
            f" this node has version {API_VERSION}."
        )
    return details


def _check_tables(point: EntryPoint) -> None:
    """Look at the tables of every model that was defined in the plugin's package."""
    package = point.module.rpartition(".")[0] or point.module
    for mapper in Base.registry.mappers:
        if not f"{mapper.class_.__module__}.".startswith(f"{package}."):
            continue
        for table in mapper.tables:
            if not str(table).startswith(f"{point.name}__"):
                raise SettingsError(
                    f"The plugin {point.name} has a table {table} without its name."
                )
