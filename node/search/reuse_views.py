"""The page of the reuse catalogue."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from node.federating.views.current_viewer import current_viewer
from node.request import PUBLIC, current_work, page_number, permission
from node.search import reuse
from node.search.blueprint import blueprint
from node.search.service import MAX_RESULTS

LICENCE_LABELS = {
    "ogl": _l("Open Government Licence"),
    "mit": _l("MIT"),
    "apache": _l("Apache"),
    "eupl": _l("European Union Public Licence"),
    "gpl": _l("GNU licences"),
    "bsd": _l("BSD"),
    "cc": _l("Creative Commons"),
    "other": _l("Another licence"),
    "none": _l("No licence given"),
}
SORT_LABELS = {
    "relevance": _l("Best match"),
    "adopters": _l("Most reused"),
    "updated": _l("Last changed"),
    "title": _l("Title, A to Z"),
}


@blueprint.get("/reuse")
@permission(PUBLIC)
def catalogue() -> ResponseReturnValue:
    """Outputs of this council's and other councils' projects that anyone can reuse."""
    query = reuse.parse_reuse_query(request.args)
    page = reuse.find_outputs(current_work().session, query, current_viewer(), page_number())
    return render_template(
        "search/reuse.html",
        page=page,
        query=query,
        max_results=MAX_RESULTS,
        licences=LICENCE_LABELS,
        sorts=SORT_LABELS,
    )
