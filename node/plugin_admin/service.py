"""What an operator sees of each plugin, and removing what a plugin keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageMetadata

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node import running_processes, schema_migrations
from node.errors import ConflictError, NotFoundError
from node.hooks import Hooks, enabled_plugins
from node.long_writes import run_in_batches
from node.messages import msg
from node.plugin_admin.enablement import load_decisions
from node.plugin_admin.models import PluginFailure, PluginJob, PluginSettingValue, PluginSwitch
from node.plugin_declarations import Label
from node.plugin_documents import receiving as document_receiving
from node.plugin_documents import service as documents
from node.plugin_documents.models import PluginDocument
from node.plugin_loading import PLUGIN_NAME, UnusablePluginError, installed_plugins
from node.pruning import prune
from node.runtime import Node
from node.search import indexing
from node.settings import Settings


@dataclass(frozen=True)
class PluginStatus:
    """A plugin that is installed, switched on, or has left something. None of its code was asked.

    `version` and `summary` are those of its package. `is_running`: this process uses it; what
    differs from `is_on` will be so once it is started again. `wrong` says why it is left out.
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
        """One word: running, broken, starting, stopping, off or gone."""
        if self.is_on and self.problem:
            return "broken"
        if self.is_on != self.is_running:
            return "starting" if self.is_on else "stopping"
        if self.is_running:
            return "running"
        return "off" if self.is_installed else "gone"


@dataclass(frozen=True)
class PluginAbility:
    """One thing that a plugin may do, with what it does it to: in words, or as code has it."""

    label: Label
    items: Sequence[Label]
    is_code: bool = False


def list_plugins(node: Node, session: Session) -> list[PluginStatus]:
    """All that there are, by name."""
    settings, rows = node.settings, load_decisions(session)
    by = {row.name: row.by for row in session.scalars(select(PluginSwitch))}
    on = set(enabled_plugins(settings, rows))
    names = {*installed_plugins(), *on, *node.hooks.names, *rows}
    found = [
        _build_status(node, name, by.get(name, ""), is_on=name in on) for name in sorted(names)
    ]
    return [item for item in found if item.is_installed or item.is_on or item.tables]


def get_plugin(node: Node, session: Session, name: str) -> PluginStatus:
    """Raises `NotFoundError`."""
    for item in list_plugins(node, session):
        if item.name == name:
            return item
    raise NotFoundError(msg("There is no plugin called %(name)s on this server.", name=name))


def purge(node: Node, name: str, by: str) -> list[str]:
    """Remove all that a plugin keeps, for good; what it published is withdrawn. Returns the names
    of the tables that were dropped. One that was interrupted goes on when it is called again.

    Raises `ConflictError` for one that is switched on, and `RunningError` while the node runs,
    whose pages would go on asking for the tables.
    """
    running_processes.require_stopped(node.settings, node.engine)
    if not PLUGIN_NAME.fullmatch(name) or name == schema_migrations.CORE:
        raise NotFoundError(msg("There is no plugin called %(name)s on this server.", name=name))
    with node.reading() as session:
        if name in enabled_plugins(node.settings, load_decisions(session)):
            raise ConflictError(
                msg("The plugin %(name)s is switched on. Switch it off first.", name=name)
            )
    run_in_batches(node, by, partial(documents.withdraw_batch, plugin=name))
    prune(node, by, PluginDocument, document_receiving.select_remote(name))
    with node.work(by=by) as work:
        for model in (PluginSettingValue, PluginJob, PluginFailure):
            work.session.execute(delete(model).where(model.plugin == name))
        indexing.rebuild(work)
        work.audit("plugin.purge", name)
    return schema_migrations.drop_plugin_tables(node.engine, name)


def load_alone(name: str) -> Hooks:
    """A plugin by itself, loaded to see what it adds. Raises `UnusablePluginError` or
    `SettingsError`, which say what does not fit.
    """
    hooks = Hooks(Settings(plugins=(name,)))
    if hooks.skipped:
        raise UnusablePluginError(hooks.skipped[0].reason)
    return hooks


def list_abilities(hooks: Hooks, name: str, tables: Sequence[str]) -> list[PluginAbility]:
    """What a plugin adds to the node, in words."""
    of = hooks.registered_by
    found = [
        PluginAbility(_l("Pages"), hooks.list_routes(name), is_code=True),
        PluginAbility(_l("Menu items"), [each.label for each in of(name, "register_navigation")]),
        PluginAbility(_l("Permissions"), [each.label for each in of(name, "register_permissions")]),
        PluginAbility(_l("Database tables"), tables, is_code=True),
        PluginAbility(
            _l("Documents sent to other councils"),
            [each.label for each in of(name, "register_documents")],
        ),
        PluginAbility(_l("Activities handled"), of(name, "register_activities"), is_code=True),
        PluginAbility(_l("Project filters"), [each.label for each in of(name, "register_facets")]),
        PluginAbility(_l("Settings"), [each.label for each in of(name, "register_settings")]),
        PluginAbility(
            _l("Scheduled jobs"), [each.name for each in of(name, "register_jobs")], is_code=True
        ),
        PluginAbility(
            _l("Commands"),
            [each.name or "" for each in of(name, "register_commands")],
            is_code=True,
        ),
    ]
    return [each for each in found if each.items]


def _summary(metadata: PackageMetadata) -> str:
    return str(metadata.json.get("summary", ""))


def _build_status(node: Node, name: str, decided_by: str, *, is_on: bool) -> PluginStatus:
    left_out = {item.name: item.reason for item in node.hooks.skipped}
    point = installed_plugins().get(name)
    package = point.dist if point else None
    return PluginStatus(
        name=name,
        version=package.version if package else "",
        summary=_summary(package.metadata) if package else "",
        is_installed=point is not None,
        is_on=is_on,
        is_running=name in node.hooks.names,
        decided_by=decided_by,
        problem=left_out.get(name, ""),
        tables=schema_migrations.plugin_tables(node.engine, name),
    )
