"""Which plugins are switched on: those that the settings name, until the operator decides.

A process reads it when it starts, and stays as it is until it is started again.
"""

from collections.abc import Mapping

import pluggy
from sqlalchemy import Engine, delete, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from node.db import now, read_only
from node.errors import ConflictError, NotFoundError
from node.hooks import enabled_plugins
from node.hookspecs import PROJECT_NAME, HookSpecs
from node.messages import msg
from node.plugin_admin.models import PluginJob, PluginSwitch
from node.plugin_declarations import PluginDetails
from node.plugin_loading import installed_plugins, load_plugin
from node.runtime import UnitOfWork
from node.settings import Settings

# The row of `PluginJob` that says that a plugin was brought up to date since it was switched on.
CATCH_UP_JOB = "catching up"


def read_decisions(engine: Engine) -> Mapping[str, bool]:
    """What the operator decided. Nothing, where the database is new or does not answer."""
    try:
        with read_only(), Session(engine) as session:
            if not inspect(session.connection()).has_table(PluginSwitch.__tablename__):
                return {}
            return load_decisions(session)
    except DBAPIError:
        return {}


def load_decisions(session: Session) -> dict[str, bool]:
    """The same, in the order in which it was decided."""
    rows = select(PluginSwitch).order_by(PluginSwitch.at, PluginSwitch.name)
    return {row.name: row.is_on for row in session.scalars(rows)}


def is_enabled(session: Session, settings: Settings, name: str) -> bool:
    """Whether a plugin will be used by processes that start from now on."""
    return name in enabled_plugins(settings, load_decisions(session))


def check_loadable(name: str) -> PluginDetails:
    """Load a plugin alone. Raises `UnusablePluginError` or `SettingsError`, which say what does not
    fit.
    """
    manager = pluggy.PluginManager(PROJECT_NAME)
    manager.add_hookspecs(HookSpecs)
    return load_plugin(name, manager)


def enable(work: UnitOfWork, name: str) -> None:
    """Switch a plugin on. Raises as `examine` does, and `ConflictError` for one that is on."""
    if is_enabled(work.session, work.settings, name):
        raise ConflictError(msg("The plugin %(name)s is already switched on.", name=name))
    check_loadable(name)
    _record_decision(work, name, is_on=True)


def disable(work: UnitOfWork, name: str) -> None:
    """Switch a plugin off. What it keeps is kept.

    Raises `NotFoundError` for one that is unknown, `ConflictError` for one that is off.
    """
    if not is_enabled(work.session, work.settings, name):
        if name not in installed_plugins():
            raise NotFoundError(
                msg("There is no plugin called %(name)s on this server.", name=name)
            )
        raise ConflictError(msg("The plugin %(name)s is already switched off.", name=name))
    _record_decision(work, name, is_on=False)


def _record_decision(work: UnitOfWork, name: str, *, is_on: bool) -> None:
    work.session.merge(PluginSwitch(name=name, is_on=is_on, by=work.by, at=now()))
    again = PluginJob.plugin == name, PluginJob.name == CATCH_UP_JOB
    work.session.execute(delete(PluginJob).where(*again))
    work.audit("plugin.enable" if is_on else "plugin.disable", name)
