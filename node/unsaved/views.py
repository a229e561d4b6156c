"""Stores form input as it is typed, and pages to restore it."""

from typing import cast

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from itsdangerous import BadData, URLSafeTimedSerializer
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from node.access.permissions import EDIT, is_signed_in
from node.errors import InvalidInputError, NotFoundError
from node.forms import CONTINUE_FIELD
from node.messages import msg
from node.people.models import User
from node.principal import Principal
from node.request import current_node, current_work, permission
from node.unsaved import service

blueprint = Blueprint("unsaved", __name__, template_folder="templates")


def keeps_input_at(path: str) -> bool:
    """Whether the form at this path has its input stored."""
    try:
        endpoint, _values = current_app.url_map.bind("").match(path, method="POST")
    except HTTPException:
        return False
    return hasattr(current_app.view_functions[endpoint], "keeps_input")


def keeps_input_here() -> bool:
    """Whether input on the current page is stored. Uses the user that Flask-Login has loaded
    already, so that error pages do not query the database.
    """
    user = g.get("_login_user")
    return user is not None and not user.is_anonymous and keeps_input_at(request.path)


def render_banner() -> Markup:
    """For a page with a form: the script's settings, and a link to restore unsaved input."""
    if not keeps_input_here():
        return Markup("")
    unsaved = None
    if request.method == "GET":
        unsaved = service.find_by_path(current_work().session, current_user, request.path)
    return Markup(render_template("unsaved/_banner.html", unsaved=unsaved))  # noqa: S704 -- our own


def set_status_of_restored_form(response: Response) -> None:
    """Change the status to 200 where a form is shown again only to restore input."""
    if (
        response.status_code == 400
        and CONTINUE_FIELD in request.form
        and keeps_input_at(request.path)
    ):
        response.status_code = 200


def delete_saved_input() -> None:
    """Delete the stored input of the form that the current request has saved."""
    if request.method == "POST" and is_signed_in() and keeps_input_at(request.path):
        service.delete_input(current_work().session, current_user, request.path)


def keep_for_sign_in() -> Response | None:
    """Store the input of a user who is no longer signed in, and redirect to the sign-in page. None
    if there is no input, or the form was not rendered for an active user.
    """
    fields, user_id = _submitted_input(), _writer_id()
    if not fields or user_id is None:
        return None
    try:
        with current_node().work(by=Principal.anonymous()) as work:
            user = work.session.get(User, user_id)
            if user is None or not user.active:
                return None
            token = service.store(work, user, request.path, fields).token
    except InvalidInputError:
        return None
    flash(_("Sign in again. Your text has not been lost, but it is not saved yet."), "error")
    next_url = url_for("unsaved.show", token=token)
    return cast("Response", redirect(url_for("security.login", next=next_url)))


def writer_token() -> str:
    """The current user's id, signed, for a hidden field that names the writer of a form."""
    return str(_serializer().dumps(current_user.id))


def _writer_id() -> int | None:
    """The id of the user for whom the submitted form was rendered, even if signed out since."""
    try:
        user_id = _serializer().loads(
            request.form.get("_writer", ""), max_age=int(service.MAX_AGE.total_seconds())
        )
    except BadData:
        return None
    return int(user_id)


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), "the writer of a form")


def handle_expired_form() -> Response | None:
    """The response to a form with an expired CSRF token: a page that has its input and can submit
    it again. None if there is no input.
    """
    if not is_signed_in():
        return keep_for_sign_in()
    fields = _submitted_input()
    if not fields:
        return None
    page = render_template("unsaved/expired.html", path=request.path, fields=fields)
    return Response(page, 400)


def _submitted_input() -> list[tuple[str, str]]:
    """The input in the submitted form, if its input is stored; else empty."""
    if request.method != "POST" or not keeps_input_at(request.path):
        return []
    fields = service.select_input_fields(request.form.items(multi=True))
    return fields if service.has_input(fields) else []


@blueprint.post("/unsaved")
@permission(EDIT)
def keep() -> ResponseReturnValue:
    """Store input sent by the script of a form while the user types."""
    path = request.form.get("_for", "")
    if not keeps_input_at(path):
        raise InvalidInputError(msg("Form not found."))
    fields = service.select_input_fields(request.form.items(multi=True))
    if service.has_input(fields):
        service.store(current_work(), current_user, path, fields)
    return "", 204


@blueprint.get("/unsaved/<token>")
@permission(EDIT)
def show(token: str) -> ResponseReturnValue:
    """Unsaved input, to be restored or discarded."""
    unsaved = service.get_by_token(current_work().session, token, current_user)
    if not keeps_input_at(unsaved.path):
        raise NotFoundError(msg("The form for this text no longer exists."))
    return render_template("unsaved/show.html", unsaved=unsaved)


@blueprint.post("/unsaved/<token>/discard")
@permission(EDIT)
def discard(token: str) -> ResponseReturnValue:
    work = current_work()
    service.discard(work, service.get_by_token(work.session, token, current_user))
    flash(_("The unsaved text has been discarded."), "success")
    return redirect(url_for("desk.show"), 303)
