"""The desk of whoever is signed in."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_security import current_user

from node.desk import service
from node.people.permissions import may
from node.request import current_work, permission

blueprint = Blueprint("desk", __name__, template_folder="templates")

SEE, COORDINATE = "desk.see", "projects.coordinate"


@blueprint.get("/desk")
@permission(SEE)
def show() -> ResponseReturnValue:
    """What needs attention, and nothing else."""
    found = service.sections(current_work(), current_user, coordinates=may(COORDINATE))
    return render_template("desk/desk.html", sections=found)


def waiting() -> int:
    """How many things wait for whoever is signed in, for the front page."""
    if not may(SEE):
        return 0
    return service.count(current_work(), current_user, coordinates=may(COORDINATE))
