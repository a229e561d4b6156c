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

from node import plugin_pages
from node.db import now
from node.declared import (
    DocumentType,
    Facet,
    NavigationItem,
    Permission,
    PluginDetails,
    Section,
    Setting,
)
from node.hookspecs import PROJECT_NAME, HookSpecs
from node.loading import REGISTERED, UnusablePluginError, check, in_one_line, load
from node.offline import offline
from node.outages import is_misuse, is_outage
from node.settings import Settings
from node.shown import ProjectView, Work

FAILURES_KEPT = 50

log = structlog.get_logger(__name__)


class Transaction(Protocol):
    """What is under way when a hook is called, such as a `UnitOfWork`."""

    by: str
    session: Session

    def part(self, session: Session) -> Any:
        """The same on another session, which is part of this one's transaction."""

    def join(self, part: Any) -> None:
        """A part has come to a good end: what is to happen after the commit is this one's now."""


@dataclass(frozen=True)
class Failure:
    """A hook call that raised, for the operator to see. `error` is its type and text."""

    plugin: str
    hook: str
    error: str
    at: datetime


@dataclass(frozen=True)
class LeftOut:
    """A plugin that is switched on and cannot be used, and why, in one line."""

    name: str
    why: str


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
        decided: Mapping[str, bool] | None = None,
        without: Mapping[str, str] | None = None,
    ) -> None:
        self._manager = pluggy.PluginManager(PROJECT_NAME)
        self._manager.add_hookspecs(HookSpecs)
        self._failures: deque[Failure] = deque(maxlen=FAILURES_KEPT)
        self._unkept: deque[Failure] = deque(maxlen=FAILURES_KEPT)
        self.details: tuple[PluginDetails, ...] = ()
        self.left_out: tuple[LeftOut, ...] = ()
        for name in switched_on(settings, decided or {}):
            why = (without or {}).get(name) or self._load(name)
            if why:
                log.warning("plugin left out", plugin=name, why=why)
                self.left_out += (LeftOut(name, why),)
        self._registered = {hook: self._ask_once(hook) for hook in REGISTERED}

    def _load(self, name: str) -> str:
        """Why a plugin is left out, if it is."""
        try:
            self.details += (load(name, self._manager),)
        except UnusablePluginError as error:
            return error.safe_text
        return ""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.details)

    def registered(self, hook: str) -> Sequence[tuple[str, Any]]:
        """What the plugins gave to a hook that is asked once, each with the plugin's name."""
        return self._registered[hook]

    def of(self, plugin: str, hook: str) -> list[Any]:
        """The same, of one plugin."""
        return [item for name, item in self._registered[hook] if name == plugin]

    @property
    def navigation(self) -> tuple[NavigationItem, ...]:
        return tuple(item for _, item in self._registered["register_navigation"])

    @property
    def permissions(self) -> tuple[Permission, ...]:
        return tuple(item for _, item in self._registered["register_permissions"])

    @property
    def documents(self) -> dict[str, tuple[str, DocumentType]]:
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
        settings: list[Setting] = self.of(plugin, "register_settings")
        return next((item for item in settings if item.name == name), None)

    @property
    def failures(self) -> Sequence[Failure]:
        """The last calls that raised in this process, oldest first."""
        return tuple(self._failures)

    def take_failures(self) -> list[Failure]:
        """Those that have not been taken yet: whoever takes them keeps them."""
        found = list(self._unkept)
        self._unkept.clear()
        return found

    @property
    def has_failures_to_keep(self) -> bool:
        return bool(self._unkept)

    def failed(self, plugin: str, hook: str, error: Exception) -> None:
        """Note that something of a plugin's raised `error`."""
        log.error("plugin failed", plugin=plugin, hook=hook, exc_info=error)
        failure = Failure(plugin, hook, in_one_line(error), now())
        self._failures.append(failure)
        self._unkept.append(failure)

    def blueprints(self, taken: Map) -> list[Blueprint]:
        """New blueprints of every plugin, for one application. `taken` are the addresses of pages
        that are no plugin's; where two plugins want one address, the first has it.
        """
        found: list[Blueprint] = []
        known = [taken]
        for name in self._implementing("register_blueprints"):
            with self._guarded(name, "register_blueprints"):
                blueprints = self._items(name, "register_blueprints")
                known.append(plugin_pages.check(name, blueprints, known))
                found += blueprints
        return found

    def pages(self, plugin: str) -> list[str]:
        """The addresses of a plugin's pages, as routes."""
        found: list[str] = []
        with self._guarded(plugin, "register_blueprints"):
            probe = plugin_pages.probe(plugin, self._items(plugin, "register_blueprints"))
            found += sorted({rule.rule for rule in probe.url_map.iter_rules()})
        return found

    def project_sections(
        self, transaction: Transaction, project: ProjectView, render: Callable[..., str]
    ) -> list[RenderedSection]:
        """The plugins' sections of a project's page. `render(template, **context)` gives HTML."""
        rendered: list[RenderedSection] = []
        for name in self._implementing("project_sections"):
            with self._part(name, "project_sections", transaction) as work:
                sections: list[Section] = self._items(
                    name, "project_sections", project=project, work=work
                )
                rendered += [_rendered(name, section, render) for section in sections]
        return rendered

    def project_deleted(self, transaction: Transaction, project: ProjectView) -> None:
        """Tell the plugins, inside the transaction that deletes it."""
        self.ask(transaction, "project_deleted", project=project)

    def ask(
        self, transaction: Transaction, hook: str, *, only: str = "", **arguments: Any
    ) -> list[tuple[str, Any]]:
        """Call `hook` of every plugin that has it, or of `only` one, each in a part of its own of
        the transaction. Returns what they answer, each with the plugin's name.
        """
        found: list[tuple[str, Any]] = []
        for name in self._implementing(hook):
            if only in ("", name):
                with self._part(name, hook, transaction) as work:
                    results = self._call(name, hook, work=work, **arguments)
                    found += [(name, result) for result in results]
        return found

    def run(
        self, transaction: Transaction, plugin: str, what: str, act: Callable[[Work], Any]
    ) -> tuple[Any, str]:
        """Have a function of a plugin's do its part. Returns what it gives, and what it raised."""
        given: list[Any] = []
        before = self._last
        with self._part(plugin, what, transaction) as work:
            given.append(act(work))
        return self._outcome(given, before)

    def prepare(self, plugin: str, what: str, act: Callable[[], Any]) -> tuple[Any, str]:
        """The same outside any transaction, where the network may be used."""
        given: list[Any] = []
        before = self._last
        with self._guarded(plugin, what):
            given.append(act())
        return self._outcome(given, before)

    def _outcome(self, given: list[Any], before: Failure | None) -> tuple[Any, str]:
        if self._last is before:
            return given[0], ""
        return None, self._failures[-1].error

    @property
    def _last(self) -> Failure | None:
        return self._failures[-1] if self._failures else None

    def _implementing(self, hook: str) -> list[str]:
        """The plugins that have a hook, in their order."""
        caller = getattr(self._manager.hook, hook)
        having = {item.plugin_name for item in caller.get_hookimpls()}
        return [name for name in self.names if name in having]

    def _call(self, plugin: str, hook: str, **arguments: Any) -> list[Any]:
        """What `plugin`'s implementations of `hook` return: nothing where it has none."""
        others = [other for other in self.names if other != plugin]
        modules = [self._manager.get_plugin(other) for other in others]
        results: list[Any] = self._manager.subset_hook_caller(hook, modules)(**arguments)
        return results

    def _items(self, plugin: str, hook: str, **arguments: Any) -> list[Any]:
        return [item for result in self._call(plugin, hook, **arguments) for item in result]

    def _ask_once(self, hook: str) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        for name in self._implementing(hook):
            with self._guarded(name, hook):
                items = self._items(name, hook)
                for item in items:
                    check(name, hook, item)
                found += [(name, item) for item in items]
        return found

    @contextmanager
    def _part(self, plugin: str, hook: str, transaction: Transaction) -> Iterator[Work]:
        transaction.session.flush()  # what fails here is not the plugin's doing
        with self._guarded(plugin, hook), offline(), part_of(transaction, plugin) as work:
            yield work

    @contextmanager
    def _guarded(self, plugin: str, hook: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # plugins are other people's code: none stops us
            if is_outage(error) and not is_misuse(error):
                raise  # that is no fault of the plugin's, and its part is not to be lost
            self.failed(plugin, hook, error)


def switched_on(settings: Settings, decided: Mapping[str, bool]) -> list[str]:
    """The names of the plugins that are switched on: the operator's word counts more than the
    settings.
    """
    every = dict.fromkeys((*settings.plugins, *decided))
    return [name for name in every if decided.get(name, name in settings.plugins)]


@contextmanager
def part_of(transaction: Transaction, plugin: str) -> Iterator[Work]:
    """`plugin`'s part of `transaction`: a session of its own, on a savepoint.

    An exception undoes it alone; otherwise it is committed with the rest.
    """
    transaction.session.flush()
    with Session(
        transaction.session.connection(), join_transaction_mode="create_savepoint"
    ) as session:
        part = transaction.part(session)
        yield Work(session, transaction.by, plugin, part)
        session.commit()
    transaction.join(part)


def _rendered(plugin: str, section: Section, render: Callable[..., str]) -> RenderedSection:
    html = render(section.template, **section.context)
    # Escaped already, by the template it was rendered from.
    return RenderedSection(plugin, str(section.heading), Markup(html))  # noqa: S704
