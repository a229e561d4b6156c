"""Creates the Flask application and the `Node` from the settings, the rooms and the plugins."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain

from flask import Flask
from flask_babel import force_locale
from flask_wtf import CSRFProtect
from markupsafe import Markup
from sqlalchemy import Engine
from werkzeug.middleware.proxy_fix import ProxyFix

from node import __version__
from node.data_folder import ensure_data_folder, ensure_subfolder, get_secret_key
from node.database import change_tracking
from node.database.engine import engine_options, prepare_engine
from node.database.tables import db
from node.events import collect_listeners
from node.jobs import Jobs
from node.languages import LOCALES
from node.menu import build_layout_context
from node.notification_kinds import index_by_name
from node.outbound import OutboundClient
from node.people import sign_in
from node.plugin_admin import registration
from node.plugin_api.hooks import Hooks
from node.queue import batched_writes, pruning
from node.request import EXTENSION_KEY
from node.room import Room
from node.rooms import ROOMS
from node.runtime import Node, merge_handlers
from node.settings import Settings
from node.web import request_lifecycle, setup
from node.web.inbox_middleware import InboxMiddleware
from node.web.templating import SharedGlobalsEnvironment, TemplateBytecodeCache

MAX_FORM_BYTES = 2 * 1024 * 1024


def create_app(
    settings: Settings,
    outbound: OutboundClient | None = None,
    *,
    excluded_plugins: Mapping[str, str] | None = None,
) -> Flask:
    """Create the application of one node.

    `outbound` replaces the HTTP client, so that tests can connect nodes without sockets.
    `excluded_plugins` maps plugins to skip to the reason.

    Raises `SettingsError` if a plugin has a hook that does not exist, or if the data folder cannot
    be written.
    """
    folder = ensure_data_folder(settings).resolve()
    # Relative paths of SQLite files are relative to the instance path.
    app = Flask("node", static_folder=None, instance_path=str(folder))
    app.jinja_environment = SharedGlobalsEnvironment
    secret = get_secret_key(settings)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.sqlalchemy_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.sqlalchemy_url, settings.threads),
        MAX_CONTENT_LENGTH=MAX_FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_BYTES,
        WTF_CSRF_TIME_LIMIT=None,
    )
    if settings.trusted_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
        change_tracking.track(db.engine)
        engine = db.engine
    hooks = registration.load_hooks(settings, engine, excluded_plugins or {})
    node = _create_node(app, settings, outbound, secret, engine, hooks)
    app.extensions[EXTENSION_KEY] = node
    register_jobs(node)
    sign_in.configure(app, settings, secret)
    csrf = CSRFProtect(app)
    for room in ROOMS:
        for view in room.csrf_exempt:
            csrf.exempt(view)
    request_lifecycle.register(app)
    translations = [item.translations for item in node.hooks.details if item.translations]
    setup.register(app, build_layout_context, settings, translations)
    app.jinja_env.bytecode_cache = TemplateBytecodeCache(
        str(ensure_subfolder(settings, "templates"))
    )
    app.jinja_env.globals["slot"] = partial(_render_slot, ROOMS)
    for room in ROOMS:
        app.jinja_env.globals.update(room.template_globals)
        for blueprint in room.pages:
            app.register_blueprint(blueprint)
    registration.register_pages(app, node.hooks)
    request_lifecycle.check_view_permissions(app)
    request_lifecycle.wrap_hooks(app)
    app.wsgi_app = InboxMiddleware(app.wsgi_app, node)  # type: ignore[method-assign]
    return app


def _create_node(
    app: Flask,
    settings: Settings,
    outbound: OutboundClient | None,
    secret: str,
    engine: Engine,
    hooks: Hooks,
) -> Node:
    """Create the node with what the rooms and the plugins contribute."""
    handlers = chain.from_iterable(room.receives for room in ROOMS)
    kinds = chain.from_iterable(room.notifications for room in ROOMS)
    [page_parser] = [room.page_parser for room in ROOMS if room.page_parser is not None]
    [relevance] = [room.relevance for room in ROOMS if room.relevance is not None]
    return Node(
        settings=settings,
        engine=engine,
        outbound=outbound or _create_outbound(settings),
        jobs=Jobs(settings, secret),
        hooks=hooks,
        handlers=merge_handlers((*registration.build_handlers(hooks), *handlers)),
        parse_page=page_parser,
        relevance=relevance,
        prefetchers=[*chain.from_iterable(room.prefetch for room in ROOMS)],
        listeners=collect_listeners(chain.from_iterable(room.on for room in ROOMS)),
        notification_kinds=index_by_name((*kinds, *registration.list_notification_kinds(hooks))),
        rendering=partial(_rendering, app, settings),
    )


def register_jobs(node: Node) -> None:
    """Register the jobs of all rooms."""
    batched = [*chain.from_iterable(room.batched_writes for room in ROOMS)]
    retention = [*pruning.RETENTION, *chain.from_iterable(room.retention for room in ROOMS)]
    node.jobs.register(batched_writes.JOB, lambda: batched_writes.run_job(node, batched))
    node.jobs.register(pruning.JOB, lambda: pruning.run_job(node, retention))
    for room in ROOMS:
        for job in room.jobs:
            if job.is_needed(node):
                node.jobs.register(job.name, partial(job.run, node), job.coalesce_seconds)


@contextmanager
def _rendering(app: Flask, settings: Settings, language: str) -> Iterator[None]:
    with (
        app.app_context(),  # of its own: within a request, its end would end that request's work
        app.test_request_context(base_url=settings.base_url),
        force_locale(LOCALES[language]),
    ):
        yield


def _render_slot(rooms: Sequence[Room], slot: str, *arguments: object) -> Markup:
    """The sections that rooms add to a slot of a page, in the order of the rooms."""
    sections = chain.from_iterable(room.sections for room in rooms)
    return Markup().join(section.render(*arguments) for section in sections if section.slot == slot)


def get_node(app: Flask) -> Node:
    """The node that an application serves."""
    node: Node = app.extensions[EXTENSION_KEY]
    return node


def _create_outbound(settings: Settings) -> OutboundClient:
    return OutboundClient(
        user_agent=f"Moothall/{__version__} (+{settings.base_url})",
        private_hosts=settings.private_hosts,
        ca_file=settings.ca_file or None,
    )
