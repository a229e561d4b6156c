"""Addresses that programs read: feeds, tables, the catalogue of data, publiccode.yml.

Each answers a question that was asked before with 304, and shows whoever asks what they may see.
"""

from collections.abc import Iterable
from datetime import datetime

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from node.councils import service as councils
from node.councils.models import Council
from node.db import now
from node.errors import NotFoundError
from node.federating.readers import ANYBODY
from node.federating.views.asking import current_reader
from node.feeds import catalogue, describing, listing, publiccode
from node.feeds.atom import Entry, Feed, as_atom, as_json_feed
from node.feeds.tables import as_csv
from node.languages import page_language
from node.projects import service as projects
from node.projects.licensing import LICENCES, licence_of, licence_url
from node.projects.models import Project
from node.request import PUBLIC, current_work, json_bytes, permission
from node.search import for_programs
from node.search.narrowing import condition
from node.updates import service as updates
from node.updates.models import Update
from node.wording import say

blueprint = Blueprint("feeds", __name__)

ATOM, FEED_JSON, JSON = "application/atom+xml", "application/feed+json", "application/json"


def answer(body: bytes, kind: str, modified: datetime | None) -> Response:
    """A document that a program asks for again and again."""
    charset = "" if kind.endswith("json") else "; charset=utf-8"
    response = Response(body, content_type=kind + charset)
    response.add_etag()
    response.last_modified = modified
    if current_reader() == ANYBODY:
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Access-Control-Allow-Origin"] = "*"
    response.make_conditional(request)
    return response


def page_of(project: Project) -> str:
    """The address of a project's page here."""
    return listing.here(url_for("projects.show", token=project.token))


@blueprint.get("/projects.atom")
@permission(PUBLIC)
def atom() -> Response:
    return _feed_of(listing.asked(current_reader()), ATOM)


@blueprint.get("/projects.feed.json")
@permission(PUBLIC)
def json_feed() -> Response:
    return _feed_of(listing.asked(current_reader()), FEED_JSON)


@blueprint.get("/councils/<slug>/projects.atom")
@permission(PUBLIC)
def own_council(slug: str) -> Response:
    """The projects of our own council."""
    council = councils.by_slug(current_work().session, slug)
    return _of_council(council)


@blueprint.get("/councils/<int:council_id>/projects.atom")
@permission(PUBLIC)
def known_council(council_id: int) -> Response:
    """The projects of another council, as far as we know them."""
    return _of_council(current_work().session.get(Council, council_id))


def _of_council(council: Council | None) -> Response:
    if council is None:
        raise NotFoundError(say("There is no such council here."))
    return _feed_of(listing.of_council(current_reader(), council), ATOM, council)


def _feed_of(page: listing.Page, kind: str, council: Council | None = None) -> Response:
    """A feed of projects."""
    own = councils.require_own(current_work().session)
    who = council or own
    modified = max((each.changed_at for each in page.projects), default=None)
    feed = Feed(
        title=_("Projects from %(name)s", name=who.name)
        if council
        else _("Projects listed by %(name)s", name=own.name),
        url=listing.here(request.full_path.rstrip("?")),
        page=who.actor.url if council else listing.page_of_search(),
        author=who.name,
        updated=modified or _never(),
        entries=[_entry(each) for each in page.projects],
        next=page.next_url,
        language=page_language(),
    )
    body = as_atom(feed) if kind == ATOM else json_bytes(as_json_feed(feed))
    return answer(body, kind, modified)


def _never() -> datetime:
    return now().replace(year=1970, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)


def _entry(project: Project) -> Entry:
    return Entry(
        id=project.uri,
        url=page_of(project),
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
    """What is told of all projects, or of those that are asked for as in the finder."""
    session, wanted = current_work().session, for_programs.wanted()
    among = condition(session, wanted, current_reader())
    number = request.args.get("page", 1, type=int)
    found, following = updates.everywhere(session, among, number)
    own = councils.require_own(session)
    modified = max((each.changed_at for each in found), default=None)
    feed = Feed(
        title=_("Updates listed by %(name)s", name=own.name),
        url=listing.here(request.full_path.rstrip("?")),
        page=listing.page_of_search(),
        author=own.name,
        updated=modified or _never(),
        entries=[
            _told(each, f"{each.project.title}: {listing.headline(each.content)}") for each in found
        ],
        next=listing.next_url(following - 1, following) if following else "",
        language=page_language(),
    )
    return answer(as_atom(feed), ATOM, modified)


def _told(update: Update, title: str) -> Entry:
    return Entry(
        id=update.uri,
        url=listing.here(url_for("updates.show", token=update.token)),
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
    """What is told of one project."""
    session = current_work().session
    project = projects.by_token(session, token, current_reader())
    page = updates.listed(session, project, request.args.get("page", 1, type=int))
    modified = max((each.changed_at for each in page.updates), default=project.changed_at)
    feed = Feed(
        title=_("Updates about %(title)s", title=project.title),
        url=listing.here(request.full_path.rstrip("?")),
        page=page_of(project),
        author=project.council.name,
        updated=modified,
        entries=[_told(each, listing.headline(each.content)) for each in page.updates],
        next=listing.next_url(page.number, page.pages),
        language=project.language,
    )
    return answer(as_atom(feed), ATOM, modified)


@blueprint.get("/projects.json")
@permission(PUBLIC)
def as_json() -> Response:
    """A page of the list as plain JSON."""
    page = listing.asked(current_reader())
    document = {
        "total": page.total,
        "page": page.number,
        "pages": page.pages,
        "next": page.next_url or None,
        "projects": [
            describing.in_list(each, page_of(each), _licence(each)) for each in page.projects
        ],
    }
    return answer(json_bytes(document), JSON, _newest(page.projects))


@blueprint.get("/projects.csv")
@permission(PUBLIC)
def table() -> Response:
    """The list as a spreadsheet, as far as `listing.MOST` goes."""
    found = listing.all_asked(current_reader())
    rows = [describing.cells(each, page_of(each), _licence(each)) for each in found]
    response = answer(as_csv(describing.COLUMNS, rows), "text/csv", _newest(found))
    response.headers["Content-Disposition"] = 'attachment; filename="projects.csv"'
    return response


def _licence(project: Project) -> str | None:
    return licence_url(current_work().settings, project)


def _newest(found: Iterable[Project]) -> datetime | None:
    return max((each.changed_at for each in found), default=None)


@blueprint.get("/data.json")
@permission(PUBLIC)
def data() -> Response:
    """The catalogue of what data this node gives away."""
    own, settings = councils.require_own(current_work().session), current_work().settings
    modified = _newest(listing.asked(current_reader()).projects)
    licence = LICENCES[settings.content_licence].url
    document = catalogue.describe(own, settings.base_url, modified, licence)
    return answer(json_bytes(document), JSON, modified)


@blueprint.get("/projects/<token>/publiccode.yml")
@permission(PUBLIC)
def as_publiccode(token: str) -> Response:
    """A project of ours as catalogues of software read it."""
    project = projects.by_token(current_work().session, token, current_reader())
    if not project.is_local:
        raise NotFoundError(
            say("Only the council that runs this project can describe its software.")
        )
    return answer(publiccode.describe(project), "application/yaml", project.changed_at)
