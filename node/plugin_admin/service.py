"""The state of each plugin for the operator, and purging a plugin's data."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageMetadata

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node import running_processes, schema_migrations
from node.errors import ConflictError, NotFoundError
from node.messages import msg
from node.plugin_admin.enablement import load_decisions
from node.plugin_admin.models import PluginFailure, PluginJob, PluginSettingValue, PluginSwitch
from node.plugin_api.declarations import Label
from node.plugin_api.hooks import Hooks, enabled_plugins
from node.plugin_api.loader import PLUGIN_NAME, UnusablePluginError, installed_plugins
from node.plugin_documents import remote_documents
from node.plugin_documents import service as documents
from node.plugin_documents.models import PluginDocument
from node.principal import Principal
from node.queue.batched_writes import run_in_batches
from node.queue.pruning import delete_in_batches
from node.runtime import Node
from node.search import indexing
from node.settings import Settings


@dataclass(frozen=True)
class PluginStatus:
    """A plugin that is installed or enabled, or has left data. Built without running its code.

    `version` and `summary` are those of its package. `is_on`: enabled for processes that start from
    now on; `is_running`: used by this process. `decided_by` is empty where the settings decide.
    `problem` says why the plugin was not loaded. `tables` are the names of its tables.
    """

    name: str
    version: str
    summary: str
    is_installed: bool
    is_on: bool
    is_running: bool
    decided_by: str
    problem: str
    tables: Sequence[str] = ()

    @property
    def state(self) -> str:
        """The state as one word: running, broken, starting, stopping, off or gone."""
        if self.is_on and self.problem:
            return "broken"
        if self.is_on != self.is_running:
            return "starting" if self.is_on else "stopping"
        if self.is_running:
            return "running"
        return "off" if self.is_installed else "gone"


@dataclass(frozen=True)
class PluginContribution:
    """One kind of extension that a plugin adds, and its items. `are_identifiers`: the items are
    identifiers, not text for people.
    """

    label: Label
    items: Sequence[Label]
    are_identifiers: bool = False


def list_plugins(node: Node, session: Session) -> list[PluginStatus]:
    """The status of every plugin, by name."""
    settings, decisions = node.settings, load_decisions(session)
    decided_by = {row.name: row.by for row in session.scalars(select(PluginSwitch))}
    enabled = set(enabled_plugins(settings, decisions))
    names = {*installed_plugins(), *enabled, *node.hooks.plugin_names, *decisions}
    statuses = [
        _build_status(node, name, decided_by.get(name, ""), is_on=name in enabled)
        for name in sorted(names)
    ]
    return [status for status in statuses if status.is_installed or status.is_on or status.tables]


def get_plugin(node: Node, session: Session, name: str) -> PluginStatus:
    """The status of one plugin. Raises `NotFoundError`."""
    for status in list_plugins(node, session):
        if status.name == name:
            return status
    raise NotFoundError(msg("Plugin %(name)s not found.", name=name))


def purge(node: Node, name: str, by: Principal) -> list[str]:
    """Delete all data of a plugin for good and withdraw what it published.

    Returns the names of the tables that were dropped. Works in several transactions; after an
    interruption call it again. Raises `NotFoundError` for an invalid name, `ConflictError` if the
    plugin is enabled, and `RunningError` while the node runs, because its pages still use the
    tables.
    """
    running_processes.require_stopped(node.settings, node.engine)
    if not PLUGIN_NAME.fullmatch(name) or name == schema_migrations.CORE:
        raise NotFoundError(msg("Plugin %(name)s not found.", name=name))
    with node.reading() as session:
        if name in enabled_plugins(node.settings, load_decisions(session)):
            raise ConflictError(
                msg("The %(name)s plugin is switched on. Switch it off first.", name=name)
            )
    run_in_batches(node, by, partial(documents.withdraw_batch, plugin=name))
    delete_in_batches(node, by, PluginDocument, remote_documents.select_remote(name))
    with node.work(by=by) as work:
        for model in (PluginSettingValue, PluginJob, PluginFailure):
            work.session.execute(delete(model).where(model.plugin == name))
        indexing.rebuild(work)
        work.audit("plugin.purge", name)
    return schema_migrations.drop_plugin_tables(node.engine, name)


def load_in_isolation(name: str) -> Hooks:
    """Load a plugin by itself to see what it adds. Raises `UnusablePluginError` or `SettingsError`
    with the reason.
    """
    hooks = Hooks(Settings(plugins=(name,)))
    if hooks.skipped:
        raise UnusablePluginError(hooks.skipped[0].reason)
    return hooks


def list_contributions(hooks: Hooks, name: str, tables: Sequence[str]) -> list[PluginContribution]:
    """The kinds of extensions that a plugin adds to the node, without the empty ones."""
    registered = hooks.list_registered_by
    abilities = [
        PluginContribution(_l("Pages"), hooks.list_routes(name), are_identifiers=True),
        PluginContribution(
            _l("Menu items"), [item.label for item in registered(name, "register_navigation")]
        ),
        PluginContribution(
            _l("Permissions"), [item.label for item in registered(name, "register_permissions")]
        ),
        PluginContribution(_l("Database tables"), tables, are_identifiers=True),
        PluginContribution(
            _l("Documents sent to other councils"),
            [item.label for item in registered(name, "register_documents")],
        ),
        PluginContribution(
            _l("Activities handled"), registered(name, "register_activities"), are_identifiers=True
        ),
        PluginContribution(
            _l("Project filters"), [item.label for item in registered(name, "register_facets")]
        ),
        PluginContribution(
            _l("Settings"), [item.label for item in registered(name, "register_settings")]
        ),
        PluginContribution(
            _l("Scheduled jobs"),
            [item.name for item in registered(name, "register_jobs")],
            are_identifiers=True,
        ),
        PluginContribution(
            _l("Commands"),
            [item.name or "" for item in registered(name, "register_commands")],
            are_identifiers=True,
        ),
    ]
    return [ability for ability in abilities if ability.items]


def _summary(metadata: PackageMetadata) -> str:
    return str(metadata.json.get("summary", ""))


def _build_status(node: Node, name: str, decided_by: str, *, is_on: bool) -> PluginStatus:
    skip_reasons = {skipped.name: skipped.reason for skipped in node.hooks.skipped}
    entry_point = installed_plugins().get(name)
    package = entry_point.dist if entry_point else None
    return PluginStatus(
        name=name,
        version=package.version if package else "",
        summary=_summary(package.metadata) if package else "",
        is_installed=entry_point is not None,
        is_on=is_on,
        is_running=name in node.hooks.plugin_names,
        decided_by=decided_by,
        problem=skip_reasons.get(name, ""),
        tables=schema_migrations.list_plugin_tables(node.engine, name),
    )
