"""The finder: the list of all projects with its filters, and suggestions while somebody types."""

from datetime import datetime

from flask import Response, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from node.federating.views.current_viewer import current_viewer
from node.languages import page_language
from node.projects.views import blueprint as projects_blueprint
from node.request import PUBLIC, current_node, current_work, permission
from node.search import reuse_views, saved_views, service
from node.search.blueprint import blueprint
from node.search.facets import (
    DATE_RANGES,
    SORT_LABELS,
    build_facets,
    list_selected_filters,
    months_ahead_queries,
)
from node.search.search_params import parse

__all__ = ["blueprint", "reuse_views", "saved_views"]


# The list of projects is a search for all of them: its address is that of the room below.
@projects_blueprint.get("/projects")
@permission(PUBLIC)
def index() -> ResponseReturnValue:
    """All published projects, ours and others', or those that are looked for."""
    session = current_work().session
    wanted, error = parse(request.args.items(multi=True))
    page = service.find_projects(
        session, wanted, current_viewer(), request.args.get("page", 1, type=int)
    )
    every = build_facets(service.list_shown_councils(session), current_node().hooks.facets)
    answer = render_template(
        "search/finder.html",
        page=page,
        most=service.MAX_RESULTS,
        wanted=wanted,
        errors=error.fields if error else {},
        typed=request.args,
        facets=every,
        days=DATE_RANGES,
        ahead=months_ahead_queries(wanted, datetime.now(service.LOCAL_ZONE).date()),
        sorts=SORT_LABELS,
        chosen=list(list_selected_filters(wanted, every)),
    )
    return answer, 400 if error else 200


@blueprint.get("/search/suggest")
@permission(PUBLIC)
def suggest() -> Response:
    """Titles that begin as what is being typed."""
    found = service.suggest(current_work().session, request.args.get("q", ""), current_viewer())
    return jsonify(
        suggestions=[
            {
                "value": (said := project.localised_text(page_language())).title,
                "lang": said.language,
                "label": project.council.name,
                "url": url_for("projects.show", token=project.token),
            }
            for project in found
        ]
    )
