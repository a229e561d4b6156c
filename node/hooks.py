"""The plugins that are switched on, called so that none can stop the node."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import pluggy
import structlog
from flask import Blueprint
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.routing import Map

from node import plugin_routes
from node.db import now
from node.hookspecs import PROJECT_NAME, HookSpecs
from node.offline import offline
from node.outages import is_outage, is_programming_error
from node.plugin_declarations import (
    DocumentType,
    Facet,
    NavigationItem,
    Permission,
    PluginDetails,
    Section,
    Setting,
)
from node.plugin_loading import (
    REGISTRATION_HOOKS,
    UnusablePluginError,
    check_registration,
    load_plugin,
    summarise_error,
)
from node.plugin_views import ProjectView, Work
from node.settings import Settings

MAX_FAILURES = 50

log = structlog.get_logger(__name__)


class Transaction(Protocol):
    """What is under way when a hook is called, such as a `UnitOfWork`."""

    by: str
    session: Session

    def nested(self, session: Session) -> Any:
        """The same on another session, which is part of this one's transaction."""

    def merge(self, part: Any) -> None:
        """A part has come to a good end: what is to happen after the commit is this one's now."""


@dataclass(frozen=True)
class HookFailure:
    """A hook call that raised, for the operator to see. `error` is its type and text."""

    plugin: str
    hook: str
    error: str
    at: datetime


@dataclass(frozen=True)
class SkippedPlugin:
    """A plugin that is switched on and cannot be used, and why, in one line."""

    name: str
    reason: str


@dataclass(frozen=True)
class RenderedSection:
    """A section of a page, ready to show."""

    plugin: str
    heading: str
    html: Markup


class Hooks:
    """The plugins that are switched on: those of `settings.plugins`, unless `decided` says
    otherwise, and those that it says besides. One that cannot be used is left out, and so is one
    that is in `without`, which says why.

    Raises `SettingsError`, naming the plugin, for one with a hook that does not exist.
    """

    def __init__(
        self,
        settings: Settings,
        overrides: Mapping[str, bool] | None = None,
        excluded: Mapping[str, str] | None = None,
    ) -> None:
        self._manager = pluggy.PluginManager(PROJECT_NAME)
        self._manager.add_hookspecs(HookSpecs)
        self._failures: deque[HookFailure] = deque(maxlen=MAX_FAILURES)
        self._unsaved_failures: deque[HookFailure] = deque(maxlen=MAX_FAILURES)
        self.details: tuple[PluginDetails, ...] = ()
        self.skipped: tuple[SkippedPlugin, ...] = ()
        for name in enabled_plugins(settings, overrides or {}):
            why = (excluded or {}).get(name) or self._load(name)
            if why:
                log.warning("plugin left out", plugin=name, why=why)
                self.skipped += (SkippedPlugin(name, why),)
        self._registered = {hook: self._collect_registrations(hook) for hook in REGISTRATION_HOOKS}

    def _load(self, name: str) -> str:
        """Why a plugin is left out, if it is."""
        try:
            self.details += (load_plugin(name, self._manager),)
        except UnusablePluginError as error:
            return error.safe_text
        return ""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.details)

    def registered(self, hook: str) -> Sequence[tuple[str, Any]]:
        """What the plugins gave to a hook that is asked once, each with the plugin's name."""
        return self._registered[hook]

    def registered_by(self, plugin: str, hook: str) -> list[Any]:
        """The same, of one plugin."""
        return [item for name, item in self._registered[hook] if name == plugin]

    @property
    def navigation(self) -> tuple[NavigationItem, ...]:
        return tuple(item for _, item in self._registered["register_navigation"])

    @property
    def permissions(self) -> tuple[Permission, ...]:
        return tuple(item for _, item in self._registered["register_permissions"])

    @property
    def document_types(self) -> dict[str, tuple[str, DocumentType]]:
        """The types of documents by name, each with its plugin: the first that has the name."""
        found: dict[str, tuple[str, DocumentType]] = {}
        for plugin, item in self._registered["register_documents"]:
            found.setdefault(item.name, (plugin, item))
        return found

    @property
    def facets(self) -> Sequence[tuple[str, Facet]]:
        return self._registered["register_facets"]

    def setting(self, plugin: str, name: str) -> Setting | None:
        """What a plugin declared of a setting."""
        settings: list[Setting] = self.registered_by(plugin, "register_settings")
        return next((item for item in settings if item.name == name), None)

    @property
    def failures(self) -> Sequence[HookFailure]:
        """The last calls that raised in this process, oldest first."""
        return tuple(self._failures)

    def pop_unsaved_failures(self) -> list[HookFailure]:
        """Those that have not been taken yet: whoever takes them keeps them."""
        found = list(self._unsaved_failures)
        self._unsaved_failures.clear()
        return found

    @property
    def has_unsaved_failures(self) -> bool:
        return bool(self._unsaved_failures)

    def record_failure(self, plugin: str, hook: str, error: Exception) -> None:
        """Note that something of a plugin's raised `error`."""
        log.error("plugin failed", plugin=plugin, hook=hook, exc_info=error)
        failure = HookFailure(plugin, hook, summarise_error(error), now())
        self._failures.append(failure)
        self._unsaved_failures.append(failure)

    def blueprints(self, taken: Map) -> list[Blueprint]:
        """New blueprints of every plugin, for one application. `taken` are the addresses of pages
        that are no plugin's; where two plugins want one address, the first has it.
        """
        found: list[Blueprint] = []
        known = [taken]
        for name in self._implementers_of("register_blueprints"):
            with self._guarded(name, "register_blueprints"):
                blueprints = self._call_for_items(name, "register_blueprints")
                known.append(plugin_routes.check_blueprints(name, blueprints, known))
                found += blueprints
        return found

    def list_routes(self, plugin: str) -> list[str]:
        """The addresses of a plugin's pages, as routes."""
        found: list[str] = []
        with self._guarded(plugin, "register_blueprints"):
            probe = plugin_routes.build_probe_app(
                plugin, self._call_for_items(plugin, "register_blueprints")
            )
            found += sorted({rule.rule for rule in probe.url_map.iter_rules()})
        return found

    def project_sections(
        self, transaction: Transaction, project: ProjectView, render: Callable[..., str]
    ) -> list[RenderedSection]:
        """The plugins' sections of a project's page. `render(template, **context)` gives HTML."""
        rendered: list[RenderedSection] = []
        for name in self._implementers_of("project_sections"):
            with self._guarded_work(name, "project_sections", transaction) as work:
                sections: list[Section] = self._call_for_items(
                    name, "project_sections", project=project, work=work
                )
                rendered += [_render_section(name, section, render) for section in sections]
        return rendered

    def project_deleted(self, transaction: Transaction, project: ProjectView) -> None:
        """Tell the plugins, inside the transaction that deletes it."""
        self.call(transaction, "project_deleted", project=project)

    def call(
        self, transaction: Transaction, hook: str, *, only: str = "", **arguments: Any
    ) -> list[tuple[str, Any]]:
        """Call `hook` of every plugin that has it, or of `only` one, each in a part of its own of
        the transaction. Returns what they answer, each with the plugin's name.
        """
        found: list[tuple[str, Any]] = []
        for name in self._implementers_of(hook):
            if only in ("", name):
                with self._guarded_work(name, hook, transaction) as work:
                    results = self._call_plugin(name, hook, work=work, **arguments)
                    found += [(name, result) for result in results]
        return found

    def run(
        self, transaction: Transaction, plugin: str, what: str, act: Callable[[Work], Any]
    ) -> tuple[Any, str]:
        """Have a function of a plugin's do its part. Returns what it gives, and what it raised."""
        given: list[Any] = []
        before = self._last_failure
        with self._guarded_work(plugin, what, transaction) as work:
            given.append(act(work))
        return self._outcome(given, before)

    def prepare(self, plugin: str, what: str, act: Callable[[], Any]) -> tuple[Any, str]:
        """The same outside any transaction, where the network may be used."""
        given: list[Any] = []
        before = self._last_failure
        with self._guarded(plugin, what):
            given.append(act())
        return self._outcome(given, before)

    def _outcome(self, given: list[Any], before: HookFailure | None) -> tuple[Any, str]:
        if self._last_failure is before:
            return given[0], ""
        return None, self._failures[-1].error

    @property
    def _last_failure(self) -> HookFailure | None:
        return self._failures[-1] if self._failures else None

    def _implementers_of(self, hook: str) -> list[str]:
        """The plugins that have a hook, in their order."""
        caller = getattr(self._manager.hook, hook)
        having = {item.plugin_name for item in caller.get_hookimpls()}
        return [name for name in self.names if name in having]

    def _call_plugin(self, plugin: str, hook: str, **arguments: Any) -> list[Any]:
        """What `plugin`'s implementations of `hook` return: nothing where it has none."""
        others = [other for other in self.names if other != plugin]
        modules = [self._manager.get_plugin(other) for other in others]
        results: list[Any] = self._manager.subset_hook_caller(hook, modules)(**arguments)
        return results

    def _call_for_items(self, plugin: str, hook: str, **arguments: Any) -> list[Any]:
        return [item for result in self._call_plugin(plugin, hook, **arguments) for item in result]

    def _collect_registrations(self, hook: str) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        for name in self._implementers_of(hook):
            with self._guarded(name, hook):
                items = self._call_for_items(name, hook)
                for item in items:
                    check_registration(name, hook, item)
                found += [(name, item) for item in items]
        return found

    @contextmanager
    def _guarded_work(self, plugin: str, hook: str, transaction: Transaction) -> Iterator[Work]:
        transaction.session.flush()  # what fails here is not the plugin's doing
        with self._guarded(plugin, hook), offline(), open_plugin_work(transaction, plugin) as work:
            yield work

    @contextmanager
    def _guarded(self, plugin: str, hook: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # plugins are other people's code: none stops us
            if is_outage(error) and not is_programming_error(error):
                raise  # that is no fault of the plugin's, and its part is not to be lost
            self.record_failure(plugin, hook, error)


def enabled_plugins(settings: Settings, decided: Mapping[str, bool]) -> list[str]:
    """The names of the plugins that are switched on: the operator's word counts more than the
    settings.
    """
    every = dict.fromkeys((*settings.plugins, *decided))
    return [name for name in every if decided.get(name, name in settings.plugins)]


@contextmanager
def open_plugin_work(transaction: Transaction, plugin: str) -> Iterator[Work]:
    """`plugin`'s part of `transaction`: a session of its own, on a savepoint.

    An exception undoes it alone; otherwise it is committed with the rest.
    """
    transaction.session.flush()
    with Session(
        transaction.session.connection(), join_transaction_mode="create_savepoint"
    ) as session:
        part = transaction.nested(session)
        yield Work(session, transaction.by, plugin, part)
        session.commit()
    transaction.merge(part)


def _render_section(plugin: str, section: Section, render: Callable[..., str]) -> RenderedSection:
    html = render(section.template, **section.context)
    # Escaped already, by the template it was rendered from.
    return RenderedSection(plugin, str(section.heading), Markup(html))  # noqa: S704
