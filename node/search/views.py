"""The project list with its search and filters, and suggestions while typing."""

from datetime import datetime

from flask import Response, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from node.federating.views.current_viewer import current_viewer
from node.languages import page_language
from node.projects.views import blueprint as projects_blueprint
from node.request import PUBLIC, current_node, current_work, page_number, permission
from node.search import reuse_views, saved_search_views, service
from node.search.blueprint import blueprint
from node.search.facets import (
    DATE_RANGES,
    SORT_LABELS,
    build_facets,
    list_selected_filters,
    months_ahead_queries,
)
from node.search.search_params import parse

__all__ = ["blueprint", "reuse_views", "saved_search_views"]


# The list of projects is a search, but its URL belongs to node/projects, which cannot import this.
@projects_blueprint.get("/projects")
@permission(PUBLIC)
def index() -> ResponseReturnValue:
    """Published projects of this council and others: all, or those that match the search."""
    session = current_work().session
    params, error = parse(request.args.items(multi=True))
    page = service.find_projects(session, params, current_viewer(), page_number())
    facets = build_facets(service.list_shown_councils(session), current_node().hooks.facets)
    html = render_template(
        "search/finder.html",
        page=page,
        max_results=service.MAX_RESULTS,
        search_params=params,
        errors=error.fields if error else {},
        typed=request.args,
        facets=facets,
        days=DATE_RANGES,
        ahead=months_ahead_queries(params, datetime.now(service.LONDON).date()),
        sorts=SORT_LABELS,
        chosen=list(list_selected_filters(params, facets)),
    )
    return html, 400 if error else 200


@blueprint.get("/search/suggest")
@permission(PUBLIC)
def suggest() -> Response:
    """Projects whose titles match the text typed so far, as JSON for the search box."""
    matches = service.suggest(current_work().session, request.args.get("q", ""), current_viewer())
    return jsonify(
        suggestions=[
            {
                "value": (text := project.localised_text(page_language())).title,
                "lang": text.language,
                "label": project.council.name,
                "url": url_for("projects.show", token=project.token),
            }
            for project in matches
        ]
    )
