"""Creates the Flask application and the `Node` from the settings."""

from collections.abc import Mapping, Sequence

from flask import Flask
from flask_wtf import CSRFProtect
from sqlalchemy import Engine
from werkzeug.middleware.proxy_fix import ProxyFix

from node import __version__, operating, portfolio
from node.access.permissions import has_permission
from node.account import views as account_views
from node.account.change_emails import make_notifier as account_notifier
from node.conversations import notifications as comment_notifications
from node.conversations import reaction_service, relevance, remote_comments, thread_fetcher
from node.conversations import service as conversations
from node.conversations import views as conversations_views
from node.councils import service as councils
from node.councils import views as councils_views
from node.councils.council_moves import HANDLERS as MOVING_HANDLERS
from node.councils.remote_councils import HANDLERS as COUNCIL_HANDLERS
from node.data_folder import ensure_data_folder, ensure_subfolder, get_secret_key
from node.database import change_tracking
from node.database.engine import engine_options, prepare_engine
from node.database.tables import db
from node.desk import views as desk_views
from node.drafts import notifications as drafts_notifications
from node.drafts import views as drafts_views
from node.evidence import views as evidence_views
from node.federating import models as federating_models
from node.federating import retention as federating_retention
from node.federating import views as federating_views
from node.federating.inbound import inbox_processor, newly_allowed_servers, server_discovery
from node.federating.outbound import clock, delivery, peer_health
from node.federating.peers import actor_deletions, peer_list_subscriptions
from node.federating.peers import service as peers
from node.federating.sync import actor_blocks, backfill, following
from node.feeds import views as feeds_views
from node.feeds.links import feed_links
from node.freshness import notifications as freshness_notifications
from node.freshness import service as freshness
from node.freshness import views as freshness_views
from node.freshness.labels import FRESHNESS_LABELS, overdue_sentence
from node.handover import notifications as handover_notifications
from node.handover import views as handover_views
from node.history import views as history_views
from node.importing import views as importing_views
from node.jobs import Jobs
from node.mail import service as mail
from node.mail.models import Mail
from node.menu import build_layout_context
from node.moderation import views as moderation_views
from node.moderation.remote_reports import HANDLERS as MODERATION_HANDLERS
from node.notification_kinds import NotificationKind, index_by_name
from node.notifications import email_digests, fan_out
from node.notifications import models as notifications_models
from node.notifications import views as notifications_views
from node.notifications.digest_renderer import TemplateDigestRenderer
from node.notifications.following_views import follow_button
from node.officers import announcements
from node.officers import service as officers
from node.officers import views as officers_views
from node.operating import key_rotation
from node.outbound import OutboundClient
from node.passwords import service as passwords
from node.passwords import views as passwords_views
from node.passwords.reset_email import make_renderer as make_password_email_renderer
from node.people import sessions, sign_in
from node.plugin_admin import failures as plugin_failures
from node.plugin_admin import jobs as plugin_jobs
from node.plugin_admin import registration
from node.plugin_admin import views as plugin_admin_views
from node.plugin_api.hooks import Hooks
from node.plugin_documents import remote_documents
from node.plugin_documents import service as documents
from node.plugin_documents import views as documents_views
from node.projects import (
    adoption_service,
    federation_events,
    group_views,
    merging,
    reindex_queue,
    relation_views,
    relations,
    remote_projects,
    section_views,
    taxonomy,
)
from node.projects import notifications as project_notifications
from node.projects import views as projects_views
from node.projects.forms import PHASE_LABELS
from node.queue import batched_writes, pruning
from node.request import EXTENSION_KEY
from node.rest import api as rest_api
from node.rest import auth_and_limits as rest_limits
from node.rest import service as tokens
from node.rest import views as rest_views
from node.runtime import Handlers, Node
from node.same_need import service as same_need
from node.same_need import views as same_need_views
from node.search import indexing
from node.search import notifications as search_notifications
from node.search import views as search_views
from node.services import views as services_views
from node.settings import Settings
from node.sync import comparison
from node.sync import views as sync_views
from node.sync.ingest import parse_page
from node.unsaved import service as unsaved
from node.unsaved import views as unsaved_views
from node.updates import notifications as update_notifications
from node.updates import remote_updates
from node.updates import service as updates
from node.updates import views as updates_views
from node.web import pages, redirects, request_lifecycle, setup
from node.web.inbox_middleware import InboxMiddleware
from node.web.templating import SharedGlobalsEnvironment, TemplateBytecodeCache
from node.webhooks import delivery as webhook_delivery
from node.webhooks import service as webhooks
from node.webhooks import views as webhooks_views
from node.webhooks.models import WebhookMessage

# The rooms' handlers of received activities, in the order in which they are called.
HANDLERS: Sequence[Handlers] = (
    actor_deletions.HANDLERS,
    following.HANDLERS,
    actor_blocks.HANDLERS,
    COUNCIL_HANDLERS,
    MOVING_HANDLERS,
    MODERATION_HANDLERS,
    remote_updates.HANDLERS,
    remote_comments.HANDLERS,
    reaction_service.HANDLERS,
    same_need.HANDLERS,
    remote_projects.HANDLERS,
    adoption_service.HANDLERS,
    remote_comments.FALLBACK_HANDLERS,
)
# The kinds of notifications of all rooms.
NOTIFICATION_KINDS: Sequence[NotificationKind] = (
    *project_notifications.KINDS,
    *update_notifications.KINDS,
    *comment_notifications.KINDS,
    *freshness_notifications.KINDS,
    *handover_notifications.KINDS,
    *drafts_notifications.KINDS,
    *search_notifications.KINDS,
)
# Writes that are split into batches.
BATCHED_WRITES: Sequence[batched_writes.BatchedWriteKind] = (
    clock.RESCHEDULE,
    *delivery.BATCHED_WRITES,
    peer_health.RELEASE_DELIVERIES,
    newly_allowed_servers.ACCEPT_FOLLOWERS,
    peers.ENFORCE_BLOCKS,
    federation_events.WITHDRAW_RELATED,
    officers.WITHDRAW_OFFICER,
    *key_rotation.LONG_WRITES,
    webhooks.REMOVE_WEBHOOK,
    indexing.REBUILD_INDEX,
)
# How long the tables of all rooms keep rows: those that others refer to come later.
RETENTION: Sequence[pruning.Retention] = (
    *federating_retention.RETENTION,
    *webhook_delivery.RETENTION,
    *passwords.RETENTION,
    *mail.RETENTION,
    *notifications_models.RETENTION,
    *unsaved.RETENTION,
    *sessions.RETENTION,
    *pruning.RETENTION,
)
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
    register_jobs(node, app)
    sign_in.configure(app, settings, secret)
    app.extensions[rest_limits.EXTENSION_KEY] = rest_limits.ApiRateLimits()
    csrf = CSRFProtect(app)
    csrf.exempt(notifications_views.unsubscribe)  # checks the token itself
    request_lifecycle.register(app)
    translations = [item.translations for item in node.hooks.details if item.translations]
    setup.register(app, build_layout_context, settings, translations)
    app.jinja_env.bytecode_cache = TemplateBytecodeCache(
        str(ensure_subfolder(settings, "templates"))
    )
    _add_template_globals(app)
    _register_blueprints(app)
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
    """Create the node with the handlers and listeners of all rooms."""
    return Node(
        settings=settings,
        engine=engine,
        outbound=outbound or _create_outbound(settings),
        jobs=Jobs(settings, secret),
        hooks=hooks,
        handlers=(*registration.build_handlers(hooks, HANDLERS), *HANDLERS),
        parse_page=parse_page,
        relevance=relevance,
        prefetchers=(remote_comments.prefetch,),
        on_audience_narrowed={
            "announcements": announcements.withdraw_announcements,
            "updates": updates.withdraw,
            "comments": conversations.withdraw,
            "documents": documents.on_audience_narrowed,
        },
        on_actor_deleted=(
            conversations.on_actor_deleted,
            remote_documents.on_actor_deleted,
            remote_projects.on_actor_deleted,
            adoption_service.on_actor_deleted,
            same_need.on_actor_deleted,
            councils.on_actor_deleted,
        ),
        on_update_event=(announcements.announce_update, webhooks.on_update_event),
        on_project_event=(webhooks.on_project_event,),
        notification_kinds=index_by_name(
            (*NOTIFICATION_KINDS, *registration.list_notification_kinds(hooks))
        ),
        before_commit=(indexing.index_in_transaction, plugin_failures.save_failures),
        credential_revokers=(passwords.revoke_keys, tokens.revoke_all, webhooks.disable_all),
        account_notifiers=(account_notifier(app),),
    )


def register_jobs(node: Node, app: Flask) -> None:
    """Register the jobs of all rooms. `app` renders the emails."""
    register, write_digest = node.jobs.register, TemplateDigestRenderer(app, node)
    register(federating_models.Delivery.JOB, lambda: delivery.run_job(node))
    register(peer_health.JOB, lambda: peer_health.run_probe_job(node))
    register(
        federating_models.InboxItem.JOB,
        lambda: inbox_processor.run_job(node),
        inbox_processor.COALESCE_SECONDS,
    )
    register(inbox_processor.FETCHING_JOB, lambda: inbox_processor.run_fetching_job(node))
    register(clock.JOB, lambda: clock.run_job(node))
    register(batched_writes.JOB, lambda: batched_writes.run_job(node, BATCHED_WRITES))
    register(pruning.JOB, lambda: pruning.run_job(node, RETENTION))
    register(freshness.JOB, lambda: freshness.run_job(node))
    register(federating_models.Backfill.JOB, lambda: backfill.run_job(node))
    register(federating_models.PeerList.JOB, lambda: peer_list_subscriptions.run_job(node))
    register(peers.NEWLY_ALLOWED_JOB, lambda: newly_allowed_servers.run_job(node))
    register(federating_models.ActorDeletion.JOB, lambda: actor_deletions.run_job(node))
    register(server_discovery.JOB, lambda: server_discovery.run_job(node))
    register(relations.MERGING_JOB, lambda: merging.run_job(node))
    register(thread_fetcher.JOB, lambda: thread_fetcher.run_job(node))
    register(key_rotation.JOB, lambda: key_rotation.run_job(node))
    register(federating_models.Comparison.JOB, lambda: comparison.run_job(node))
    register(fan_out.JOB, lambda: fan_out.run_job(node), fan_out.COALESCE_SECONDS)
    register(email_digests.JOB, lambda: email_digests.run_job(node, write_digest))
    register(WebhookMessage.JOB, lambda: webhook_delivery.run_job(node))
    render_password_email = make_password_email_renderer(app)
    register(passwords.JOB, lambda: passwords.run_job(node, render_password_email))
    register(Mail.JOB, lambda: mail.run_job(node))
    register(reindex_queue.JOB, lambda: indexing.run_job(node), indexing.COALESCE_SECONDS)
    register(search_notifications.JOB, lambda: search_notifications.run_job(node))
    if plugin_jobs.has_work(node.hooks):
        register(plugin_jobs.JOB, lambda: plugin_jobs.run_job(node))


def _add_template_globals(app: Flask) -> None:
    """Add the globals that the templates of every room may use."""
    app.jinja_env.globals.update(
        may=has_permission, PHASES=PHASE_LABELS, FRESHNESS_NAMES=FRESHNESS_LABELS, subjects=taxonomy
    )
    app.jinja_env.globals.update(
        freshness_of=freshness_views.render_section,
        freshness_in_short=freshness_views.render_short,
        alike_of=same_need_views.render_section,
        draft_of=drafts_views.render_section,
        offer_of=handover_views.render_section,
        imported_people=importing_views.render_section,
        drafts_are_published_at_once=drafts_views.can_publish_directly,
        unsaved_here=unsaved_views.render_banner,
        keeps_input_here=unsaved_views.keeps_input_here,
        writer_here=unsaved_views.writer_token,
        review_was_due=overdue_sentence,
        waiting_on_desk=desk_views.count_waiting,
        updates_of=updates_views.render_section,
        feed_links=feed_links,
        conversation_about=conversations_views.render_section,
        reactions_to=conversations_views.render_reactions,
        successor_of=councils_views.successor_of,
        writers_of=officers_views.writers_of,
        follow_button=follow_button,
        service_name=services_views.get_service_name,
    )


def _register_blueprints(app: Flask) -> None:
    for module in (
        pages,
        redirects,
        account_views,
        passwords_views,
        rest_api,
        rest_views,
        webhooks_views,
        feeds_views,
        importing_views,
        projects_views,
        section_views,
        relation_views,
        same_need_views,
        search_views,
        services_views,
        sync_views,
        group_views,
        updates_views,
        freshness_views,
        handover_views,
        drafts_views,
        history_views,
        documents_views,
        unsaved_views,
        desk_views,
        conversations_views,
        officers_views,
        notifications_views,
        councils_views,
        moderation_views,
        portfolio,
        evidence_views,
        operating,
        plugin_admin_views,
    ):
        app.register_blueprint(module.blueprint)
    for blueprint in federating_views.blueprints:
        app.register_blueprint(blueprint)


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
