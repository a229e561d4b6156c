"""Pages to search the list of services and choose one, and suggestions while a user types."""

from collections.abc import Sequence

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from node.request import PUBLIC, current_work, permission
from node.services import service

blueprint = Blueprint("services", __name__, template_folder="templates")

MAX_RESULTS, MAX_LEN_QUERY = 2_000, 100
MAX_SUGGESTIONS = 10


@blueprint.get("/services")
@permission(PUBLIC)
def index() -> ResponseReturnValue:
    """All services with their numbers, or those that match the search text."""
    text = request.args.get("q", "")[:MAX_LEN_QUERY]
    services = service.find_matching(current_work().session, text, MAX_RESULTS)
    return render_template("services/index.html", services=services, text=text)


def render_choice(field: str, typed: Sequence[tuple[str, str]]) -> str:
    """The page to choose a service for `field` of the submitted form. It leads back to the form
    with all input, `typed`, without saving it.
    """
    text = request.form.get("find", "")[:MAX_LEN_QUERY]
    return render_template(
        "services/choose.html",
        services=service.find_matching(current_work().session, text, MAX_RESULTS),
        text=text,
        field=field,
        so_far=dict(typed).get(field, ""),
        others=[(name, value) for name, value in typed if name != field],
    )


@blueprint.get("/services/suggest")
@permission(PUBLIC)
def suggest() -> Response:
    """Services that match what is being typed, as JSON."""
    text = request.args.get("q", "")[:MAX_LEN_QUERY]
    matches = service.find_matching(current_work().session, text, MAX_SUGGESTIONS)
    return jsonify(
        suggestions=[
            {"value": f"{number}", "label": name, "lang": "en"} for number, name in matches
        ]
    )


def get_service_name(lgsl: int | None) -> str:
    """The name of a service, for pages of other rooms; empty for an unknown number."""
    return service.get_name(current_work().session, lgsl)
