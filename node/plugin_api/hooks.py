"""Calls the hooks of enabled plugins, so that a plugin that fails cannot stop the node."""

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

from node.database.tables import now
from node.outages import is_outage, is_programming_error
from node.plugin_api import routes
from node.plugin_api.declarations import (
    DocumentType,
    Facet,
    NavigationItem,
    Permission,
    PluginDetails,
    Section,
    Setting,
)
from node.plugin_api.hookspecs import PROJECT_NAME, HookSpecs
from node.plugin_api.info import ProjectInfo, Work
from node.plugin_api.loader import (
    REGISTRATION_HOOKS,
    UnusablePluginError,
    check_registration,
    load_plugin,
    summarise_error,
)
from node.plugin_api.offline import offline
from node.settings import Settings

MAX_FAILURES = 50

log = structlog.get_logger(__name__)


class Transaction(Protocol):
    """The transaction in which a hook is called: a `UnitOfWork`."""

    session: Session

    def nested_for_plugin(self, session: Session) -> Any:
        """A plugin's copy for `session`, which is on a savepoint of this transaction."""

    def merge(self, part: Any) -> None:
        """Take over the jobs that a successful nested part wants to wake after the commit."""


@dataclass(frozen=True)
class HookFailure:
    """A hook call that raised, for the operator to see. `error` is its type and text."""

    plugin: str
    hook: str
    error: str
    at: datetime


@dataclass(frozen=True)
class SkippedPlugin:
    """An enabled plugin that cannot be used. `reason` is one line for the operator."""

    name: str
    reason: str


@dataclass(frozen=True)
class RenderedSection:
    """A plugin's section of a project's page, rendered."""

    plugin: str
    heading: str
    html: Markup


class Hooks:
    """The enabled plugins: those of `settings.plugins`, as changed by the operator's `overrides`
    (plugin name to whether it is enabled). `excluded` maps plugins to skip to the reason. Plugins
    that cannot be used are skipped too.

    Raises `SettingsError`, naming the plugin, for a hook that does not exist.
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
            reason = (excluded or {}).get(name) or self._load(name)
            if reason:
                log.warning("plugin skipped", plugin=name, reason=reason)
                self.skipped += (SkippedPlugin(name, reason),)
        self._registered = {hook: self._collect_registrations(hook) for hook in REGISTRATION_HOOKS}

    def _load(self, name: str) -> str:
        """Load a plugin. Returns why it has to be skipped; empty if it was loaded."""
        try:
            self.details += (load_plugin(name, self._manager),)
        except UnusablePluginError as error:
            return error.safe_text
        return ""

    @property
    def plugin_names(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.details)

    def list_registered(self, hook: str) -> Sequence[tuple[str, Any]]:
        """All items that plugins returned from a `register_…` hook, each with the plugin's name."""
        return self._registered[hook]

    def list_registered_by(self, plugin: str, hook: str) -> list[Any]:
        """The items that one plugin returned from a `register_…` hook."""
        return [item for name, item in self._registered[hook] if name == plugin]

    @property
    def navigation(self) -> tuple[NavigationItem, ...]:
        return tuple(item for _, item in self._registered["register_navigation"])

    @property
    def permissions(self) -> tuple[Permission, ...]:
        return tuple(item for _, item in self._registered["register_permissions"])

    @property
    def document_types(self) -> dict[str, tuple[str, DocumentType]]:
        """Document types by name, each with its plugin: the first plugin that declared the name."""
        types: dict[str, tuple[str, DocumentType]] = {}
        for plugin, item in self._registered["register_documents"]:
            types.setdefault(item.name, (plugin, item))
        return types

    @property
    def facets(self) -> Sequence[tuple[str, Facet]]:
        return self._registered["register_facets"]

    def setting(self, plugin: str, name: str) -> Setting | None:
        """A plugin's declaration of one setting; None if it has none of that name."""
        settings: list[Setting] = self.list_registered_by(plugin, "register_settings")
        return next((item for item in settings if item.name == name), None)

    @property
    def failures(self) -> Sequence[HookFailure]:
        """The last `MAX_FAILURES` hook calls that raised in this process, oldest first."""
        return tuple(self._failures)

    def pop_unsaved_failures(self) -> list[HookFailure]:
        """Remove and return the failures that have not been written to the database yet."""
        failures = list(self._unsaved_failures)
        self._unsaved_failures.clear()
        return failures

    @property
    def has_unsaved_failures(self) -> bool:
        return bool(self._unsaved_failures)

    def record_failure(self, plugin: str, hook: str, error: Exception) -> None:
        """Log and store an error raised by a plugin's code."""
        log.error("plugin hook failed", plugin=plugin, hook=hook, exc_info=error)
        failure = HookFailure(plugin, hook, summarise_error(error), now())
        self._failures.append(failure)
        self._unsaved_failures.append(failure)

    def blueprints(self, taken: Map) -> list[Blueprint]:
        """New blueprints of every plugin, for one application. `taken` are the routes of the node's
        own pages. If two plugins register the same route, the blueprints of the second are left
        out.
        """
        accepted: list[Blueprint] = []
        taken_maps = [taken]
        for name in self._implementers_of("register_blueprints"):
            with self._guarded(name, "register_blueprints"):
                blueprints = self._call_for_items(name, "register_blueprints")
                taken_maps.append(routes.check_blueprints(name, blueprints, taken_maps))
                accepted += blueprints
        return accepted

    def list_routes(self, plugin: str) -> list[str]:
        """The URL rules of a plugin's pages, sorted; empty if its blueprints fail."""
        rules: list[str] = []
        with self._guarded(plugin, "register_blueprints"):
            probe = routes.build_probe_app(
                plugin, self._call_for_items(plugin, "register_blueprints")
            )
            rules += sorted({rule.rule for rule in probe.url_map.iter_rules()})
        return rules

    def project_sections(
        self, transaction: Transaction, project: ProjectInfo, render: Callable[..., str]
    ) -> list[RenderedSection]:
        """The plugins' sections of a project's page. `render(template, **context)` returns HTML."""
        rendered: list[RenderedSection] = []
        for name in self._implementers_of("project_sections"):
            with self._guarded_work(name, "project_sections", transaction) as work:
                sections: list[Section] = self._call_for_items(
                    name, "project_sections", project=project, work=work
                )
                rendered += [_render_section(name, section, render) for section in sections]
        return rendered

    def project_deleted(self, transaction: Transaction, project: ProjectInfo) -> None:
        """Call the hook `project_deleted`, inside the transaction that deletes the project."""
        self.call(transaction, "project_deleted", project=project)

    def call(
        self, transaction: Transaction, hook: str, *, only: str = "", **arguments: Any
    ) -> list[tuple[str, Any]]:
        """Call `hook` of every plugin, or of the plugin `only`, each on a savepoint of its own.
        Returns the results, each with the plugin's name.
        """
        results: list[tuple[str, Any]] = []
        for name in self._implementers_of(hook):
            if only in ("", name):
                with self._guarded_work(name, hook, transaction) as work:
                    returned = self._call_plugin(name, hook, work=work, **arguments)
                    results += [(name, result) for result in returned]
        return results

    def run(
        self, transaction: Transaction, plugin: str, call_name: str, act: Callable[[Work], Any]
    ) -> tuple[Any, str]:
        """Call a plugin's function on a savepoint. Returns its result and an empty string, or None
        and the error. `call_name` names the call in the list of failures.
        """
        results: list[Any] = []
        before = self._last_failure
        with self._guarded_work(plugin, call_name, transaction) as work:
            results.append(act(work))
        return self._result_or_error(results, before)

    def prepare(self, plugin: str, call_name: str, act: Callable[[], Any]) -> tuple[Any, str]:
        """Like `run`, but outside any transaction: `act` may use the network."""
        results: list[Any] = []
        before = self._last_failure
        with self._guarded(plugin, call_name):
            results.append(act())
        return self._result_or_error(results, before)

    def _result_or_error(self, results: list[Any], before: HookFailure | None) -> tuple[Any, str]:
        if self._last_failure is before:
            return results[0], ""
        return None, self._failures[-1].error

    @property
    def _last_failure(self) -> HookFailure | None:
        return self._failures[-1] if self._failures else None

    def _implementers_of(self, hook: str) -> list[str]:
        """The names of the plugins that implement a hook, in the order of loading."""
        caller = getattr(self._manager.hook, hook)
        implementers = {item.plugin_name for item in caller.get_hookimpls()}
        return [name for name in self.plugin_names if name in implementers]

    def _call_plugin(self, plugin: str, hook: str, **arguments: Any) -> list[Any]:
        """The results of `plugin`'s implementations of `hook`; empty if it has none."""
        others = [other for other in self.plugin_names if other != plugin]
        modules = [self._manager.get_plugin(other) for other in others]
        results: list[Any] = self._manager.subset_hook_caller(hook, modules)(**arguments)
        return results

    def _call_for_items(self, plugin: str, hook: str, **arguments: Any) -> list[Any]:
        return [item for result in self._call_plugin(plugin, hook, **arguments) for item in result]

    def _collect_registrations(self, hook: str) -> list[tuple[str, Any]]:
        registrations: list[tuple[str, Any]] = []
        for name in self._implementers_of(hook):
            with self._guarded(name, hook):
                items = self._call_for_items(name, hook)
                for item in items:
                    check_registration(name, hook, item)
                registrations += [(name, item) for item in items]
        return registrations

    @contextmanager
    def _guarded_work(self, plugin: str, hook: str, transaction: Transaction) -> Iterator[Work]:
        transaction.session.flush()  # outside the guard: an error here is not the plugin's
        with self._guarded(plugin, hook), offline(), open_plugin_work(transaction, plugin) as work:
            yield work

    @contextmanager
    def _guarded(self, plugin: str, hook: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # a plugin may raise anything
            if is_outage(error) and not is_programming_error(error):
                raise  # not the plugin's fault: the whole transaction fails and can be retried
            self.record_failure(plugin, hook, error)


def enabled_plugins(settings: Settings, overrides: Mapping[str, bool]) -> list[str]:
    """The names of the enabled plugins. The operator's overrides come before the settings."""
    names = dict.fromkeys((*settings.plugins, *overrides))
    return [name for name in names if overrides.get(name, name in settings.plugins)]


@contextmanager
def open_plugin_work(transaction: Transaction, plugin: str) -> Iterator[Work]:
    """`plugin`'s part of `transaction`: a session of its own, on a savepoint.

    An exception rolls back this part alone; otherwise it is committed with the transaction.
    """
    transaction.session.flush()
    with Session(
        transaction.session.connection(), join_transaction_mode="create_savepoint"
    ) as session:
        part = transaction.nested_for_plugin(session)
        yield Work(session, part.by.name, part.by.user_id, plugin, part)
        session.commit()
    transaction.merge(part)


def _render_section(plugin: str, section: Section, render: Callable[..., str]) -> RenderedSection:
    html = render(section.template, **section.context)
    # The template has escaped it.
    return RenderedSection(plugin, str(section.heading), Markup(html))  # noqa: S704
