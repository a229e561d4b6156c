"""The page of the current user's desk."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_security import current_user
from markupsafe import Markup

from node.access.permissions import COORDINATE, DESK, OPERATE, has_permission
from node.desk import service
from node.request import current_work, permission

blueprint = Blueprint("desk", __name__, template_folder="templates")


@blueprint.get("/desk")
@permission(DESK)
def show() -> ResponseReturnValue:
    """What needs the current user's attention."""
    sections = service.list_sections(current_work(), current_user, **_current_duties())
    return render_template("desk/desk.html", sections=sections)


def render_waiting() -> Markup:
    """The number of things on the current user's desk, for the home page; empty for visitors."""
    if not has_permission(DESK):
        return Markup()
    waiting = service.count_items(current_work(), current_user, **_current_duties())
    return Markup(render_template("desk/_waiting.html", waiting=waiting))  # noqa: S704 -- our own


def _current_duties() -> dict[str, bool]:
    """The current user's duties besides their own projects, as arguments of the service."""
    return {"coordinates": has_permission(COORDINATE), "operates": has_permission(OPERATE)}
