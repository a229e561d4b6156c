"""Decides which plugins are enabled: those in the settings, unless the operator decided otherwise.

A process reads the decisions when it starts; later decisions take effect after a restart.
"""

from collections.abc import Mapping

import pluggy
from sqlalchemy import Engine, delete, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from node.database.engine import read_only
from node.database.tables import now
from node.errors import ConflictError, NotFoundError
from node.messages import msg
from node.plugin_admin.models import PluginJob, PluginSwitch
from node.plugin_api.declarations import PluginDetails
from node.plugin_api.hooks import enabled_plugins
from node.plugin_api.hookspecs import PROJECT_NAME, HookSpecs
from node.plugin_api.loader import installed_plugins, load_plugin
from node.runtime import UnitOfWork
from node.settings import Settings

# The name of the `PluginJob` row that marks a plugin as caught up since it was enabled.
CATCH_UP_JOB_NAME = "catching up"


def read_decisions(engine: Engine) -> Mapping[str, bool]:
    """The operator's decisions by plugin. Empty if the database is new or does not answer."""
    try:
        with read_only(), Session(engine) as session:
            if not inspect(session.connection()).has_table(PluginSwitch.__tablename__):
                return {}
            return load_decisions(session)
    except DBAPIError:
        return {}


def load_decisions(session: Session) -> dict[str, bool]:
    """The operator's decisions by plugin, in the order in which they were made."""
    rows = select(PluginSwitch).order_by(PluginSwitch.at, PluginSwitch.name)
    return {row.name: row.is_on for row in session.scalars(rows)}


def is_enabled(session: Session, settings: Settings, name: str) -> bool:
    """Whether processes that start from now on will use a plugin."""
    return name in enabled_plugins(settings, load_decisions(session))


def check_loadable(name: str) -> PluginDetails:
    """Load a plugin by itself. Raises `UnusablePluginError` or `SettingsError` with the reason if
    it cannot be used.
    """
    manager = pluggy.PluginManager(PROJECT_NAME)
    manager.add_hookspecs(HookSpecs)
    return load_plugin(name, manager)


def enable(work: UnitOfWork, name: str) -> None:
    """Enable a plugin. Raises the errors of `check_loadable`, and `ConflictError` if it is already
    enabled.
    """
    if is_enabled(work.session, work.settings, name):
        raise ConflictError(msg("The %(name)s plugin is already switched on.", name=name))
    check_loadable(name)
    _record_decision(work, name, is_on=True)


def disable(work: UnitOfWork, name: str) -> None:
    """Disable a plugin. Its data is kept.

    Raises `NotFoundError` for an unknown plugin, `ConflictError` for one that is already disabled.
    """
    if not is_enabled(work.session, work.settings, name):
        if name not in installed_plugins():
            raise NotFoundError(msg("Plugin %(name)s not found.", name=name))
        raise ConflictError(msg("The %(name)s plugin is already switched off.", name=name))
    _record_decision(work, name, is_on=False)


def _record_decision(work: UnitOfWork, name: str, *, is_on: bool) -> None:
    work.session.merge(PluginSwitch(name=name, is_on=is_on, by=work.by.name, at=now()))
    is_catch_up = PluginJob.plugin == name, PluginJob.name == CATCH_UP_JOB_NAME
    work.session.execute(delete(PluginJob).where(*is_catch_up))
    work.audit("plugin.enable" if is_on else "plugin.disable", name)
