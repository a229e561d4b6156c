"""Answers GET requests to inboxes. POST requests are handled before: see
`node.web.inbox_middleware`.
"""

from typing import NoReturn

from flask import Blueprint
from werkzeug.exceptions import MethodNotAllowed

from node.request import PUBLIC, permission

blueprint = Blueprint("inbox", __name__)


@blueprint.get("/inbox")
@blueprint.get("/actor/inbox")
@blueprint.get("/councils/<slug>/inbox")
@blueprint.get("/projects/<token>/group/inbox")
@blueprint.get("/officers/<username>/inbox")
@permission(PUBLIC)
def look(**_named: str) -> NoReturn:
    """Inboxes cannot be read."""
    raise MethodNotAllowed(["POST"])
