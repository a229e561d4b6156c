"""What an operator sees of each plugin, and removing what a plugin keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageMetadata

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node import migrating, presence
from node.declared import Label
from node.documents import receiving as document_receiving
from node.documents import service as documents
from node.documents.models import PluginDocument
from node.errors import ConflictError, NotFoundError
from node.extending.models import PluginFailure, PluginJob, PluginSwitch, PluginValue
from node.extending.switches import decided
from node.hooks import Hooks, switched_on
from node.loading import NAME, UnusablePluginError, installed
from node.portions import repeat
from node.pruning import prune
from node.runtime import Node
from node.search import indexing
from node.settings import Settings
from node.wording import say


@dataclass(frozen=True)
class Plugin:
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
    wrong: str
    tables: Sequence[str] = ()

    @property
    def state(self) -> str:
        """One word: running, broken, starting, stopping, off or gone."""
        if self.is_on and self.wrong:
            return "broken"
        if self.is_on != self.is_running:
            return "starting" if self.is_on else "stopping"
        if self.is_running:
            return "running"
        return "off" if self.is_installed else "gone"


@dataclass(frozen=True)
class Ability:
    """One thing that a plugin may do, with what it does it to: in words, or as code has it."""

    label: Label
    items: Sequence[Label]
    is_code: bool = False


def every(node: Node, session: Session) -> list[Plugin]:
    """All that there are, by name."""
    settings, rows = node.settings, decided(session)
    by = {row.name: row.by for row in session.scalars(select(PluginSwitch))}
    on = set(switched_on(settings, rows))
    names = {*installed(), *on, *node.hooks.names, *rows}
    found = [_plugin(node, name, by.get(name, ""), is_on=name in on) for name in sorted(names)]
    return [item for item in found if item.is_installed or item.is_on or item.tables]


def one(node: Node, session: Session, name: str) -> Plugin:
    """Raises `NotFoundError`."""
    for item in every(node, session):
        if item.name == name:
            return item
    raise NotFoundError(say("There is no plugin called %(name)s on this server.", name=name))


def purge(node: Node, name: str, by: str) -> list[str]:
    """Remove all that a plugin keeps, for good; what it published is withdrawn. Returns the names
    of the tables that were dropped. One that was interrupted goes on when it is called again.

    Raises `ConflictError` for one that is switched on, and `RunningError` while the node runs,
    whose pages would go on asking for the tables.
    """
    presence.require_stopped(node.settings, node.engine)
    if not NAME.fullmatch(name) or name == migrating.CORE:
        raise NotFoundError(say("There is no plugin called %(name)s on this server.", name=name))
    with node.reading() as session:
        if name in switched_on(node.settings, decided(session)):
            raise ConflictError(
                say("The plugin %(name)s is switched on. Switch it off first.", name=name)
            )
    repeat(node, by, partial(documents.withdraw_some, plugin=name))
    prune(node, by, PluginDocument, document_receiving.of_others(name))
    with node.work(by=by) as work:
        for model in (PluginValue, PluginJob, PluginFailure):
            work.session.execute(delete(model).where(model.plugin == name))
        indexing.rebuild(work)
        work.audit("plugin.purge", name)
    return migrating.drop(node.engine, name)


def alone(name: str) -> Hooks:
    """A plugin by itself, loaded to see what it adds. Raises `UnusablePluginError` or
    `SettingsError`, which say what does not fit.
    """
    hooks = Hooks(Settings(plugins=(name,)))
    if hooks.left_out:
        raise UnusablePluginError(hooks.left_out[0].why)
    return hooks


def abilities(hooks: Hooks, name: str, tables: Sequence[str]) -> list[Ability]:
    """What a plugin adds to the node, in words."""
    of = hooks.of
    found = [
        Ability(_l("Pages"), hooks.pages(name), is_code=True),
        Ability(_l("Menu items"), [each.label for each in of(name, "register_navigation")]),
        Ability(_l("Permissions"), [each.label for each in of(name, "register_permissions")]),
        Ability(_l("Database tables"), tables, is_code=True),
        Ability(
            _l("Documents sent to other councils"),
            [each.label for each in of(name, "register_documents")],
        ),
        Ability(_l("Activities handled"), of(name, "register_activities"), is_code=True),
        Ability(_l("Project filters"), [each.label for each in of(name, "register_facets")]),
        Ability(_l("Settings"), [each.label for each in of(name, "register_settings")]),
        Ability(
            _l("Scheduled jobs"), [each.name for each in of(name, "register_jobs")], is_code=True
        ),
        Ability(
            _l("Commands"),
            [each.name or "" for each in of(name, "register_commands")],
            is_code=True,
        ),
    ]
    return [each for each in found if each.items]


def _summary(metadata: PackageMetadata) -> str:
    return str(metadata.json.get("summary", ""))


def _plugin(node: Node, name: str, decided_by: str, *, is_on: bool) -> Plugin:
    left_out = {item.name: item.why for item in node.hooks.left_out}
    point = installed().get(name)
    package = point.dist if point else None
    return Plugin(
        name=name,
        version=package.version if package else "",
        summary=_summary(package.metadata) if package else "",
        is_installed=point is not None,
        is_on=is_on,
        is_running=name in node.hooks.names,
        decided_by=decided_by,
        wrong=left_out.get(name, ""),
        tables=migrating.tables_of(node.engine, name),
    )
