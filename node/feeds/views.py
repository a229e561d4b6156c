"""Endpoints for programs: feeds, CSV, JSON, the data catalogue and publiccode.yml.

Each shows only what the viewer may see, and answers conditional requests with 304.
"""

from collections.abc import Iterable
from datetime import datetime

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from node.access.viewer import ANONYMOUS
from node.councils import service as councils
from node.councils.models import Council
from node.database.tables import now
from node.errors import NotFoundError
from node.federating.views.current_viewer import current_viewer
from node.feeds import dcat, listing, publiccode, representations
from node.feeds.csv_export import to_csv
from node.feeds.feed_formats import Feed, FeedEntry, to_atom, to_json_feed
from node.languages import page_language
from node.messages import msg
from node.pagination import Page
from node.projects import service as projects
from node.projects.licensing import LICENCES, licence_of, licence_url
from node.projects.models import Project
from node.request import PUBLIC, current_work, json_bytes, page_number, permission
from node.search import api_params
from node.search.sql_filters import to_visible_condition
from node.updates import service as updates
from node.updates.models import Update

blueprint = Blueprint("feeds", __name__)

ATOM_TYPE, JSON_FEED_TYPE, JSON_TYPE = (
    "application/atom+xml",
    "application/feed+json",
    "application/json",
)


def cacheable_response(body: bytes, kind: str, modified: datetime | None) -> Response:
    """A response with validators, so that programs that poll it get 304 if nothing changed."""
    charset = "" if kind.endswith("json") else "; charset=utf-8"
    response = Response(body, content_type=kind + charset)
    response.add_etag()
    response.last_modified = modified
    if current_viewer() == ANONYMOUS:
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Access-Control-Allow-Origin"] = "*"
    response.make_conditional(request)
    return response


def project_page_url(project: Project) -> str:
    """The address of a project's page here."""
    return listing.absolute_url(url_for("projects.show", token=project.token))


@blueprint.get("/projects.atom")
@permission(PUBLIC)
def atom() -> Response:
    return _render_project_feed(listing.load_requested_page(current_viewer()), ATOM_TYPE)


@blueprint.get("/projects.feed.json")
@permission(PUBLIC)
def json_feed() -> Response:
    return _render_project_feed(listing.load_requested_page(current_viewer()), JSON_FEED_TYPE)


@blueprint.get("/councils/<slug>/projects.atom")
@permission(PUBLIC)
def own_council(slug: str) -> Response:
    """The projects of our own council."""
    council = councils.by_slug(current_work().session, slug)
    return _render_council_feed(council)


@blueprint.get("/councils/<int:council_id>/projects.atom")
@permission(PUBLIC)
def known_council(council_id: int) -> Response:
    """The projects of another council, as far as we know them."""
    return _render_council_feed(current_work().session.get(Council, council_id))


def _render_council_feed(council: Council | None) -> Response:
    if council is None:
        raise NotFoundError(msg("Council not found."))
    return _render_project_feed(
        listing.load_council_page(current_viewer(), council), ATOM_TYPE, council
    )


def _render_project_feed(
    page: Page[Project], kind: str, council: Council | None = None
) -> Response:
    """A feed of projects."""
    own = councils.require_own(current_work().session)
    publisher = council or own
    modified = _last_changed(page.rows)
    feed = Feed(
        title=_("Projects from %(name)s", name=publisher.name)
        if council
        else _("Projects listed by %(name)s", name=own.name),
        url=listing.absolute_url(request.full_path.rstrip("?")),
        page=publisher.actor.url if council else listing.project_list_url(),
        author=publisher.name,
        updated=modified or _epoch(),
        entries=[_build_project_entry(project) for project in page.rows],
        next=listing.next_url(page),
        language=page_language(),
    )
    body = to_atom(feed) if kind == ATOM_TYPE else json_bytes(to_json_feed(feed))
    return cacheable_response(body, kind, modified)


def _epoch() -> datetime:
    return now().replace(year=1970, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)


def _build_project_entry(project: Project) -> FeedEntry:
    return FeedEntry(
        id=project.uri,
        url=project_page_url(project),
        title=project.title,
        summary=project.summary,
        content=project.content,
        author=project.council.name,
        language=project.language,
        published=project.published_at,
        updated=project.changed_at,
        tags=(project.phase.value, *project.details.tags),
        licence=licence_of(current_work().settings, project),
    )


@blueprint.get("/updates.atom")
@permission(PUBLIC)
def updates_of_all() -> Response:
    """Updates about all visible projects, or those that match the search, as Atom."""
    session, params = current_work().session, api_params.parse_request_params()
    condition = to_visible_condition(session, params, current_viewer())
    page = updates.list_across_projects(session, condition, page_number())
    own = councils.require_own(session)
    modified = max((update.changed_at for update in page.rows), default=None)
    feed = Feed(
        title=_("Updates listed by %(name)s", name=own.name),
        url=listing.absolute_url(request.full_path.rstrip("?")),
        page=listing.project_list_url(),
        author=own.name,
        updated=modified or _epoch(),
        entries=[
            _build_update_entry(
                update, f"{update.project.title}: {listing.first_line(update.content)}"
            )
            for update in page.rows
        ],
        next=listing.next_url(page),
        language=page_language(),
    )
    return cacheable_response(to_atom(feed), ATOM_TYPE, modified)


def _build_update_entry(update: Update, title: str) -> FeedEntry:
    return FeedEntry(
        id=update.uri,
        url=listing.absolute_url(url_for("updates.show", token=update.token)),
        title=title.rstrip(": ") or update.project.title,
        summary="",
        content=update.content,
        author=update.project.council.name,
        language=update.language,
        published=update.published_at,
        updated=update.changed_at,
        licence=licence_of(current_work().settings, update.project),
    )


@blueprint.get("/projects/<token>/updates.atom")
@permission(PUBLIC)
def updates_of_project(token: str) -> Response:
    """Updates about one project, as Atom."""
    session = current_work().session
    project = projects.by_token(session, token, current_viewer())
    page = updates.list_page(session, project, page_number())
    modified = max((update.changed_at for update in page.rows), default=project.changed_at)
    feed = Feed(
        title=_("Updates about %(title)s", title=project.title),
        url=listing.absolute_url(request.full_path.rstrip("?")),
        page=project_page_url(project),
        author=project.council.name,
        updated=modified,
        entries=[
            _build_update_entry(update, listing.first_line(update.content)) for update in page.rows
        ],
        next=listing.next_url(page),
        language=project.language,
    )
    return cacheable_response(to_atom(feed), ATOM_TYPE, modified)


@blueprint.get("/projects.json")
@permission(PUBLIC)
def as_json() -> Response:
    """A page of the project list, as JSON."""
    page = listing.load_requested_page(current_viewer())
    document = {
        "total": page.total,
        "page": page.number,
        "pages": page.page_count,
        "next": listing.next_url(page),
        "projects": [
            representations.describe_listed_project(
                project, project_page_url(project), _licence_url(project)
            )
            for project in page.rows
        ],
    }
    return cacheable_response(json_bytes(document), JSON_TYPE, _last_changed(page.rows))


@blueprint.get("/projects.csv")
@permission(PUBLIC)
def table() -> Response:
    """The project list as CSV, at most `MAX_RESULTS` projects."""
    matches = listing.list_all_requested(current_viewer())
    rows = [
        representations.to_table_row(project, project_page_url(project), _licence_url(project))
        for project in matches
    ]
    response = cacheable_response(
        to_csv(representations.TABLE_COLUMNS, rows), "text/csv", _last_changed(matches)
    )
    response.headers["Content-Disposition"] = 'attachment; filename="projects.csv"'
    return response


def _licence_url(project: Project) -> str | None:
    return licence_url(current_work().settings, project)


def _last_changed(rows: Iterable[Project]) -> datetime | None:
    return max((project.changed_at for project in rows), default=None)


@blueprint.get("/data.json")
@permission(PUBLIC)
def data() -> Response:
    """The catalogue of this server's open data."""
    own, settings = councils.require_own(current_work().session), current_work().settings
    modified = _last_changed(listing.load_requested_page(current_viewer()).rows)
    licence = LICENCES[settings.content_licence].url
    document = dcat.build_catalogue(own, settings.base_url, modified, licence)
    return cacheable_response(json_bytes(document), JSON_TYPE, modified)


@blueprint.get("/projects/<token>/publiccode.yml")
@permission(PUBLIC)
def as_publiccode(token: str) -> Response:
    """The publiccode.yml of a project of ours, for software catalogues."""
    project = projects.by_token(current_work().session, token, current_viewer())
    if not project.is_local:
        raise NotFoundError(
            msg("Only the council that runs this project can describe its software.")
        )
    return cacheable_response(
        publiccode.to_publiccode(project), "application/yaml", project.changed_at
    )
