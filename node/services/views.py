"""The list of services, to be searched; and suggestions while somebody types."""

import re

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from node.request import PUBLIC, current_work, permission
from node.services import service

blueprint = Blueprint("services", __name__, template_folder="templates")

# Where a service is chosen for a project.
FORM = re.compile(r"/projects/[\w-]{1,40}/edit/[a-z]{1,20}", re.ASCII)
MOST = 2_000
SUGGESTIONS = 10


@blueprint.get("/services")
@permission(PUBLIC)
def index() -> ResponseReturnValue:
    """All services with their numbers, or those that are looked for. `back` is the form that one is
    chosen for.
    """
    text, back = request.args.get("q", "")[:100], request.args.get("back", "")
    found = service.matching(current_work().session, text, MOST)
    is_form = FORM.fullmatch(back) is not None
    return render_template(
        "services/index.html", services=found, text=text, back=back if is_form else ""
    )


@blueprint.get("/services/suggest")
@permission(PUBLIC)
def suggest() -> Response:
    """Services whose numbers or names begin as what is being typed."""
    text = request.args.get("q", "")[:100]
    found = service.matching(current_work().session, text, SUGGESTIONS)
    return jsonify(suggestions=[{"value": f"{number}", "label": name} for number, name in found])


def name_of(lgsl: int | None) -> str:
    """What a service is called, for pages of other rooms; empty where that is not known."""
    return service.name(current_work().session, lgsl)
