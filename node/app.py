"""Putting a node together: settings in, a Flask application and a `Node` out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from flask import Flask
from flask_wtf import CSRFProtect
from sqlalchemy import Engine
from werkzeug.middleware.proxy_fix import ProxyFix

from node import __version__, changes, operating, portfolio, portions
from node.account import views as account_views
from node.account.letters import notifier as account_notifier
from node.alike import service as alike
from node.alike import views as alike_views
from node.catalogue import comparison
from node.catalogue import views as catalogue_views
from node.catalogue.reading import read_page
from node.conversations import news as comment_news
from node.conversations import reacting, relevance
from node.conversations import reading as conversation_reading
from node.conversations import receiving as comment_receiving
from node.conversations import service as conversations
from node.conversations import views as conversations_views
from node.councils import service as councils
from node.councils import views as councils_views
from node.councils.federate import HANDLERS as COUNCIL_HANDLERS
from node.councils.moving import HANDLERS as MOVING_HANDLERS
from node.data_folder import data_folder, with_secret
from node.db import db, engine_options, prepare_engine
from node.desk import views as desk_views
from node.documents import receiving as documents_receiving
from node.documents import service as documents
from node.documents import views as documents_views
from node.drafts import news as drafts_news
from node.drafts import views as drafts_views
from node.errors import SettingsError
from node.evidence import views as evidence_views
from node.extending import failures as plugin_failures
from node.extending import jobs as plugin_jobs
from node.extending import joining
from node.extending import views as extending_views
from node.federating import (
    admission,
    backfill,
    blocking,
    clock,
    delivery,
    departures,
    discovery,
    following,
    handling,
    health,
    housekeeping,
    peers,
    subscriptions,
)
from node.federating import views as federating_views
from node.federating.models import Backfill, Comparison, Delivery, Departure, InboxItem, PeerList
from node.feeds import views as feeds_views
from node.feeds.links import feed_links
from node.freshness import news as freshness_news
from node.freshness import service as freshness
from node.freshness import views as freshness_views
from node.freshness.words import NAMES as FRESHNESS_NAMES
from node.freshness.words import overdue
from node.handover import news as handover_news
from node.handover import views as handover_views
from node.history import views as history_views
from node.hooks import Hooks
from node.importing import views as importing_views
from node.jobs import Jobs
from node.mail import service as mail
from node.mail.models import Mail
from node.menu import site
from node.moderation import views as moderation_views
from node.moderation.receiving import HANDLERS as MODERATION_HANDLERS
from node.news.kinds import Kind, by_name
from node.notices import digests, spreading
from node.notices import housekeeping as notices_housekeeping
from node.notices import views as notices_views
from node.notices.following_views import follow_button
from node.notices.writing import DigestWriter
from node.officers import announcing
from node.officers import service as officers
from node.officers import views as officers_views
from node.operating import rotating
from node.outbound import Outbound
from node.passwords import service as passwords
from node.passwords import views as passwords_views
from node.passwords.writing import writer as password_writer
from node.people import sessions, sign_in
from node.people.permissions import may
from node.projects import (
    adopting,
    group_views,
    marks,
    merging,
    relating,
    relation_views,
    section_views,
    subjects,
    telling,
)
from node.projects import news as project_news
from node.projects import receiving as projects_receiving
from node.projects import views as projects_views
from node.projects.forms import PHASES
from node.request import EXTENSION
from node.rest import api as rest_api
from node.rest import asking as rest_asking
from node.rest import service as tokens
from node.rest import views as rest_views
from node.runtime import Handlers, Node
from node.search import indexing
from node.search import news as search_news
from node.search import views as search_views
from node.services import views as services_views
from node.settings import Settings
from node.unsaved import service as unsaved
from node.unsaved import views as unsaved_views
from node.updates import news as update_news
from node.updates import receiving as update_receiving
from node.updates import service as updates
from node.updates import views as updates_views
from node.web import cycle, guessed, look, pages
from node.web.inbox_door import InboxDoor
from node.web.templating import CompiledTemplates, HouseEnvironment
from node.webhooks import sending as webhook_sending
from node.webhooks import service as webhooks
from node.webhooks import views as webhooks_views
from node.webhooks.models import WebhookMessage

# The rooms that receive what others send, in the order they are asked.
HANDLERS: Sequence[Handlers] = (
    departures.HANDLERS,
    following.HANDLERS,
    blocking.HANDLERS,
    COUNCIL_HANDLERS,
    MOVING_HANDLERS,
    MODERATION_HANDLERS,
    update_receiving.HANDLERS,
    comment_receiving.HANDLERS,
    reacting.HANDLERS,
    alike.HANDLERS,
    projects_receiving.HANDLERS,
    adopting.HANDLERS,
    comment_receiving.LAST_HANDLERS,
)
# What people here are told of, by the rooms in which it happens.
KINDS: Sequence[Kind] = (
    *project_news.KINDS,
    *update_news.KINDS,
    *comment_news.KINDS,
    *freshness_news.KINDS,
    *handover_news.KINDS,
    *drafts_news.KINDS,
    *search_news.KINDS,
)
# What is written in portions.
LONG_WRITES: Sequence[portions.Kind] = (
    clock.PULLING_IN,
    *delivery.LONG_WRITES,
    health.SENDING,
    admission.ACCEPTING,
    peers.ENFORCING,
    telling.WITHDRAWING,
    officers.WITHDRAWING,
    *rotating.LONG_WRITES,
    webhooks.REMOVING,
    indexing.REBUILDING,
)
MOST_FORM_BYTES = 2 * 1024 * 1024


def create_app(
    settings: Settings,
    outbound: Outbound | None = None,
    *,
    without: Mapping[str, str] | None = None,
) -> Flask:
    """An application for one node.

    `outbound` replaces the HTTP client, so that tests can join nodes without sockets. Plugins in
    `without` are left out; it says why.

    Raises `SettingsError` for a plugin with a hook that does not exist, or a data folder that
    cannot be written.
    """
    folder = data_folder(settings).resolve()
    # Where the relative path of a SQLite file begins.
    app = Flask("node", static_folder=None, instance_path=str(folder))
    app.jinja_environment = HouseEnvironment
    secret = with_secret(settings)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database, settings.threads),
        MAX_CONTENT_LENGTH=MOST_FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=MOST_FORM_BYTES,
        WTF_CSRF_TIME_LIMIT=None,
    )
    if settings.trusted_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
        changes.watch(db.engine)
        engine = db.engine
    hooks = joining.load(settings, engine, without or {})
    node = _node(app, settings, outbound, secret, engine, hooks)
    app.extensions[EXTENSION] = node
    add_jobs(node, app)
    sign_in.configure(app, settings, secret)
    app.extensions[rest_asking.EXTENSION] = rest_asking.Limits()
    csrf = CSRFProtect(app)
    csrf.exempt(notices_views.unsubscribe)  # which looks itself
    cycle.register(app)
    translations = [item.translations for item in node.hooks.details if item.translations]
    look.register(app, site, settings, translations)
    app.jinja_env.bytecode_cache = CompiledTemplates(str(_folder(settings, "templates")))
    _add_words(app)
    _add_pages(app)
    joining.add_pages(app, node.hooks)
    cycle.check_every_view_is_marked(app)
    cycle.surround(app)
    app.wsgi_app = InboxDoor(app.wsgi_app, node)  # type: ignore[method-assign]
    return app


def _node(
    app: Flask,
    settings: Settings,
    outbound: Outbound | None,
    secret: str,
    engine: Engine,
    hooks: Hooks,
) -> Node:
    """All parts of a node."""
    return Node(
        settings=settings,
        engine=engine,
        outbound=outbound or _outbound(settings),
        jobs=Jobs(settings, secret),
        hooks=hooks,
        handlers=(*joining.handlers(hooks, HANDLERS), *HANDLERS),
        read_page=read_page,
        relevance=relevance,
        prefetchers=(comment_receiving.prefetch,),
        withdrawals={
            "announcements": announcing.withdraw,
            "updates": updates.withdraw,
            "comments": conversations.withdraw,
            "documents": documents.follow_project,
        },
        removals=(
            conversations.remove_all_of,
            documents_receiving.remove_all_of,
            projects_receiving.remove_all_of,
            adopting.remove_all_of,
            alike.remove_all_of,
            councils.remove_all_of,
        ),
        announcers=(announcing.announce, webhooks.announce),
        hearers=(webhooks.hear,),
        kinds=by_name((*KINDS, *joining.kinds(hooks))),
        finishers=(indexing.at_once, plugin_failures.keep),
        credentials=(passwords.revoke, tokens.revoke_all, webhooks.end_all),
        account_notifiers=(account_notifier(app),),
    )


def add_jobs(node: Node, app: Flask) -> None:
    """Say what is done later, and how. `app` has the words of e-mails."""
    write = DigestWriter(app, node)
    node.jobs.register(Delivery.JOB, lambda: delivery.work_off(node))
    node.jobs.register(health.JOB, lambda: health.probe(node))
    node.jobs.register(InboxItem.JOB, lambda: handling.work_off(node), handling.GATHER_SECONDS)
    node.jobs.register(handling.FETCHING_JOB, lambda: handling.work_off_fetching(node))
    node.jobs.register(clock.JOB, lambda: clock.work_off(node))
    node.jobs.register(portions.JOB, lambda: portions.work_off(node, LONG_WRITES))
    node.jobs.register(housekeeping.JOB, lambda: housekeeping.work_off(node))
    node.jobs.register(unsaved.JOB, lambda: unsaved.work_off(node))
    node.jobs.register(sessions.JOB, lambda: sessions.work_off(node))
    node.jobs.register(freshness.JOB, lambda: freshness.work_off(node))
    node.jobs.register(Backfill.JOB, lambda: backfill.work_off(node))
    node.jobs.register(PeerList.JOB, lambda: subscriptions.work_off(node))
    node.jobs.register(peers.ADMISSION_JOB, lambda: admission.work_off(node))
    node.jobs.register(Departure.JOB, lambda: departures.work_off(node))
    node.jobs.register(discovery.JOB, lambda: discovery.work_off(node))
    node.jobs.register(relating.MERGING_JOB, lambda: merging.work_off(node))
    node.jobs.register(conversation_reading.JOB, lambda: conversation_reading.work_off(node))
    node.jobs.register(rotating.JOB, lambda: rotating.work_off(node))
    node.jobs.register(Comparison.JOB, lambda: comparison.work_off(node))
    node.jobs.register(spreading.JOB, lambda: spreading.work_off(node), spreading.GATHER_SECONDS)
    node.jobs.register(digests.JOB, lambda: digests.work_off(node, write))
    node.jobs.register(WebhookMessage.JOB, lambda: webhook_sending.work_off(node))
    write_of_password = password_writer(app)
    node.jobs.register(passwords.JOB, lambda: passwords.work_off(node, write_of_password))
    node.jobs.register(Mail.JOB, lambda: mail.work_off(node))
    node.jobs.register(notices_housekeeping.JOB, lambda: notices_housekeeping.work_off(node))
    node.jobs.register(marks.JOB, lambda: indexing.work_off(node), indexing.GATHER_SECONDS)
    node.jobs.register(search_news.JOB, lambda: search_news.work_off(node))
    if plugin_jobs.are_there(node.hooks):
        node.jobs.register(plugin_jobs.JOB, lambda: plugin_jobs.work_off(node))


def _add_words(app: Flask) -> None:
    """What templates of every room may use."""
    app.jinja_env.globals.update(
        may=may, PHASES=PHASES, FRESHNESS_NAMES=FRESHNESS_NAMES, subjects=subjects
    )
    app.jinja_env.globals.update(
        freshness_of=freshness_views.section,
        freshness_in_short=freshness_views.short,
        alike_of=alike_views.section,
        draft_of=drafts_views.section,
        offer_of=handover_views.section,
        imported_people=importing_views.section,
        drafts_are_published_at_once=drafts_views.at_once,
        unsaved_here=unsaved_views.banner,
        keeps_text_here=unsaved_views.keeps_here,
        writer_here=unsaved_views.writer,
        review_was_due=overdue,
        waiting_on_desk=desk_views.waiting,
        updates_of=updates_views.section,
        feed_links=feed_links,
        conversation_about=conversations_views.section,
        reactions_to=conversations_views.reactions_to,
        successor_of=councils_views.successor_of,
        writers_of=officers_views.writers_of,
        follow_button=follow_button,
        service_name=services_views.name_of,
    )


def _add_pages(app: Flask) -> None:
    for module in (
        pages,
        guessed,
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
        alike_views,
        search_views,
        services_views,
        catalogue_views,
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
        notices_views,
        councils_views,
        moderation_views,
        portfolio,
        evidence_views,
        operating,
        extending_views,
    ):
        app.register_blueprint(module.blueprint)
    for blueprint in federating_views.blueprints:
        app.register_blueprint(blueprint)


def node_of(app: Flask) -> Node:
    """The node that an application serves."""
    node: Node = app.extensions[EXTENSION]
    return node


def _outbound(settings: Settings) -> Outbound:
    return Outbound(
        user_agent=f"Moothall/{__version__} (+{settings.base_url})",
        private_hosts=settings.private_hosts,
        ca_file=settings.ca_file or None,
    )


def _folder(settings: Settings, name: str) -> Path:
    """A folder in the data folder, made if it is not there. Raises `SettingsError`."""
    folder = settings.data_dir / name
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(f"The data folder {settings.data_dir} cannot be written.") from error
    return folder
