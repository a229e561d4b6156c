"""Where what plugins declare becomes part of a node that is put together."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from flask import Blueprint, Flask, Response
from sqlalchemy import Engine
from sqlalchemy.orm import configure_mappers

from node.db import is_writing
from node.events.kinds import NotificationKind, Topic
from node.hooks import Hooks
from node.offline import NetworkInTransactionError, offline
from node.plugin_admin import enablement
from node.plugin_admin.handlers import build_activity_handlers
from node.plugin_documents import receiving
from node.request import current_node
from node.runtime import Handlers
from node.settings import Settings

FAILURES_ACTOR = "plugins"


def load_hooks(settings: Settings, engine: Engine, without: Mapping[str, str]) -> Hooks:
    """The plugins that are switched on, but for those in `without`, which says why.

    The core's models are complete before: a class of a plugin's that has the name of one of them
    takes nothing from it.
    """
    configure_mappers()
    return Hooks(settings, enablement.read_decisions(engine), without)


def register_pages(app: Flask, hooks: Hooks) -> None:
    """Register the plugins' pages: those that fit."""
    for blueprint in hooks.blueprints(app.url_map):
        app.register_blueprint(blueprint)
        for endpoint, view in [*app.view_functions.items()]:
            if endpoint.startswith(f"{blueprint.name}."):
                app.view_functions[endpoint] = _guard_view(
                    hooks, _plugin_of(hooks, blueprint), view
                )
    app.after_request(_save_failures)


def _plugin_of(hooks: Hooks, blueprint: Blueprint) -> str:
    """The plugin that a blueprint is named after."""
    return max(
        (name for name in hooks.names if f"{blueprint.name}_".startswith(f"{name}_")), key=len
    )


def _guard_view(hooks: Hooks, plugin: str, view: Callable[..., Any]) -> Callable[..., Any]:
    """The view, which cannot use the network once its request has begun a transaction that may
    write: everybody who writes would wait for that.
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


def build_handlers(hooks: Hooks, core: Sequence[Handlers]) -> tuple[Handlers, ...]:
    """What acts on what the plugins receive. `core` is what acts on everything else."""
    return receiving.build_handlers(hooks), build_activity_handlers(hooks, core)


def list_notification_kinds(hooks: Hooks) -> list[NotificationKind]:
    """The kinds of notices of the plugins."""
    return [
        NotificationKind(
            item.name, Topic(item.topic), item.sentence, item.for_followers, item.for_owner
        )
        for _plugin, item in hooks.registered("register_notifications")
    ]


def _save_failures(response: Response) -> Response:
    """What plugins raised while a page was made that only reads is kept besides."""
    node = current_node()
    if node.hooks.has_unsaved_failures:
        with node.work(by=FAILURES_ACTOR):
            pass  # it is one of the things that are done at the end of any
    return response
