"""Which plugins are switched on: those that the settings name, until the operator decides.

A process reads it when it starts, and stays as it is until it is started again.
"""

from collections.abc import Mapping

import pluggy
from sqlalchemy import Engine, delete, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from node.db import now, only_reading
from node.declared import PluginDetails
from node.errors import ConflictError, NotFoundError
from node.extending.models import PluginJob, PluginSwitch
from node.hooks import switched_on
from node.hookspecs import PROJECT_NAME, HookSpecs
from node.loading import installed, load
from node.runtime import UnitOfWork
from node.settings import Settings
from node.wording import say

# The row of `PluginJob` that says that a plugin was brought up to date since it was switched on.
CATCHING_UP = "catching up"


def read(engine: Engine) -> Mapping[str, bool]:
    """What the operator decided. Nothing, where the database is new or does not answer."""
    try:
        with only_reading(), Session(engine) as session:
            if not inspect(session.connection()).has_table(PluginSwitch.__tablename__):
                return {}
            return decided(session)
    except DBAPIError:
        return {}


def decided(session: Session) -> dict[str, bool]:
    """The same, in the order in which it was decided."""
    rows = select(PluginSwitch).order_by(PluginSwitch.at, PluginSwitch.name)
    return {row.name: row.is_on for row in session.scalars(rows)}


def is_on(session: Session, settings: Settings, name: str) -> bool:
    """Whether a plugin will be used by processes that start from now on."""
    return name in switched_on(settings, decided(session))


def examine(name: str) -> PluginDetails:
    """Load a plugin alone. Raises `UnusablePluginError` or `SettingsError`, which say what does not
    fit.
    """
    manager = pluggy.PluginManager(PROJECT_NAME)
    manager.add_hookspecs(HookSpecs)
    return load(name, manager)


def enable(work: UnitOfWork, name: str) -> None:
    """Switch a plugin on. Raises as `examine` does, and `ConflictError` for one that is on."""
    if is_on(work.session, work.settings, name):
        raise ConflictError(say("The plugin %(name)s is already switched on.", name=name))
    examine(name)
    _decide(work, name, is_on=True)


def disable(work: UnitOfWork, name: str) -> None:
    """Switch a plugin off. What it keeps is kept.

    Raises `NotFoundError` for one that is unknown, `ConflictError` for one that is off.
    """
    if not is_on(work.session, work.settings, name):
        if name not in installed():
            raise NotFoundError(
                say("There is no plugin called %(name)s on this server.", name=name)
            )
        raise ConflictError(say("The plugin %(name)s is already switched off.", name=name))
    _decide(work, name, is_on=False)


def _decide(work: UnitOfWork, name: str, *, is_on: bool) -> None:
    work.session.merge(PluginSwitch(name=name, is_on=is_on, by=work.by, at=now()))
    again = PluginJob.plugin == name, PluginJob.name == CATCHING_UP
    work.session.execute(delete(PluginJob).where(*again))
    work.audit("plugin.enable" if is_on else "plugin.disable", name)
