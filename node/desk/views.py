"""The desk of whoever is signed in."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_security import current_user

from node.desk import service
from node.people.permissions import has_permission
from node.request import current_work, permission

blueprint = Blueprint("desk", __name__, template_folder="templates")

SEE, COORDINATE, OPERATE = "desk.see", "projects.coordinate", "node.operate"


@blueprint.get("/desk")
@permission(SEE)
def show() -> ResponseReturnValue:
    """What needs attention, and nothing else."""
    found = service.list_sections(current_work(), current_user, **_current_duties())
    return render_template("desk/desk.html", sections=found)


def count_waiting() -> int:
    """How many things wait for whoever is signed in, for the front page."""
    if not has_permission(SEE):
        return 0
    return service.count_items(current_work(), current_user, **_current_duties())


def _current_duties() -> dict[str, bool]:
    """What whoever is signed in looks after besides their own projects."""
    return {"coordinates": has_permission(COORDINATE), "operates": has_permission(OPERATE)}
