"""The list of services, to be searched and chosen from; and suggestions while somebody types."""

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
    """All services with their numbers, or those that are looked for."""
    text = request.args.get("q", "")[:MAX_LEN_QUERY]
    found = service.find_matching(current_work().session, text, MAX_RESULTS)
    return render_template("services/index.html", services=found, text=text)


def render_choice(field: str, typed: Sequence[tuple[str, str]]) -> str:
    """The page on which the number of a service is chosen for a field of the form that was just
    sent. With what was `typed` in the others it leads back to that form; nothing is saved by it.
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
    """Services whose numbers or names begin as what is being typed."""
    text = request.args.get("q", "")[:MAX_LEN_QUERY]
    found = service.find_matching(current_work().session, text, MAX_SUGGESTIONS)
    return jsonify(
        suggestions=[{"value": f"{number}", "label": name, "lang": "en"} for number, name in found]
    )


def get_service_name(lgsl: int | None) -> str:
    """What a service is called, for pages of other rooms; empty where that is not known."""
    return service.get_name(current_work().session, lgsl)
