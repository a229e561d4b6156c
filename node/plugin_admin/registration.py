"""Connects what plugins register with the application that is being built."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from flask import Blueprint, Flask, Response
from sqlalchemy import Engine
from sqlalchemy.orm import configure_mappers

from node.database.engine import is_writing
from node.notification_kinds import NotificationKind, Topic
from node.plugin_admin import enablement
from node.plugin_admin.handlers import build_activity_handlers
from node.plugin_api.hooks import Hooks
from node.plugin_api.offline import NetworkInTransactionError, offline
from node.plugin_documents import remote_documents
from node.principal import Principal
from node.request import current_node
from node.runtime import Handlers
from node.settings import Settings

FAILURES_JOB = "plugins"


def load_hooks(settings: Settings, engine: Engine, excluded_plugins: Mapping[str, str]) -> Hooks:
    """Load the enabled plugins, except those in `without` (reason by name).

    The core's mappers are configured first, so that a plugin's class with the name of a core model
    cannot become part of the core's relationships.
    """
    configure_mappers()
    return Hooks(settings, enablement.read_decisions(engine), excluded_plugins)


def register_pages(app: Flask, hooks: Hooks) -> None:
    """Register the blueprints of the plugins, without those that conflict with other pages."""
    for blueprint in hooks.blueprints(app.url_map):
        app.register_blueprint(blueprint)
        for endpoint, view in [*app.view_functions.items()]:
            if endpoint.startswith(f"{blueprint.name}."):
                app.view_functions[endpoint] = _forbid_network_in_writes(
                    hooks, _plugin_of(hooks, blueprint), view
                )
    app.after_request(_save_failures)


def _plugin_of(hooks: Hooks, blueprint: Blueprint) -> str:
    """The name of the plugin that a blueprint belongs to: the longest one that its name starts
    with.
    """
    return max(
        (name for name in hooks.plugin_names if f"{blueprint.name}_".startswith(f"{name}_")),
        key=len,
    )


def _forbid_network_in_writes(
    hooks: Hooks, plugin: str, view: Callable[..., Any]
) -> Callable[..., Any]:
    """Wrap a view so that it cannot use the network once its transaction may write: all other
    writers would have to wait.
    """

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            with offline(is_writing):
                return view(*args, **kwargs)
        except NetworkInTransactionError as error:
            hooks.record_failure(plugin, view.__name__, error)
            raise

    return guarded


def build_handlers(hooks: Hooks) -> tuple[Handlers, ...]:
    """The handlers of plugins' documents and activities."""
    return remote_documents.build_handlers(hooks), build_activity_handlers(hooks)


def list_notification_kinds(hooks: Hooks) -> list[NotificationKind]:
    """The kinds of notifications that plugins register."""
    return [
        NotificationKind(
            kind.name,
            Topic(kind.topic),
            kind.sentence,
            kind.notifies_followers,
            kind.notifies_owner,
        )
        for _plugin, kind in hooks.list_registered("register_notifications")
    ]


def _save_failures(response: Response) -> Response:
    """Save failures noted in a request that did not write anything."""
    node = current_node()
    if node.hooks.has_unsaved_failures:
        with node.work(by=Principal.job(FAILURES_JOB)):
            pass  # `save_failures` runs at the end of any transaction that writes
    return response
