"""Keeping what is typed in a form, and the way back to it."""

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

from node.errors import InvalidInputError, NotFoundError
from node.forms import CONTINUE_FIELD
from node.messages import msg
from node.people.models import User
from node.people.permissions import is_signed_in
from node.request import current_node, current_work, permission
from node.unsaved import service

blueprint = Blueprint("unsaved", __name__, template_folder="templates")

WRITE = "projects.edit"


def keeps_text_at(path: str) -> bool:
    """Whether there is a form at an address of ours in which what is typed is kept."""
    try:
        endpoint, _values = current_app.url_map.bind("").match(path, method="POST")
    except HTTPException:
        return False
    return hasattr(current_app.view_functions[endpoint], "keeps_text")


def keeps_text_here() -> bool:
    """Whether what is typed on this page is kept. Who is signed in was asked already, where a form
    is; an error page does not ask the database again.
    """
    user = g.get("_login_user")
    return user is not None and not user.is_anonymous and keeps_text_at(request.path)


def render_banner() -> Markup:
    """On a page with a form: what keeps its text, and the way to what was kept."""
    if not keeps_text_here():
        return Markup("")
    kept = None
    if request.method == "GET":
        kept = service.find_by_path(current_work().session, current_user, request.path)
    return Markup(render_template("unsaved/_banner.html", kept=kept))  # noqa: S704 -- our own


def restore_status(response: Response) -> None:
    """A form that is shown again with text that was kept is no failure."""
    if (
        response.status_code == 400
        and CONTINUE_FIELD in request.form
        and keeps_text_at(request.path)
    ):
        response.status_code = 200


def forget_saved_text() -> None:
    """What somebody typed in a form was just saved: it is kept no longer."""
    if request.method == "POST" and is_signed_in() and keeps_text_at(request.path):
        service.delete_saved(current_work().session, current_user, request.path)


def keep_for_sign_in() -> Response | None:
    """What was sent by somebody who is no longer signed in is kept for them until they sign in
    again. None where there is nothing to keep, or the form was made for nobody who works here.
    """
    fields, user_id = _typed_fields(), _writer_id()
    if not fields or user_id is None:
        return None
    try:
        with current_node().work(by="anonymous") as work:
            user = work.session.get(User, user_id)
            if user is None or not user.active:
                return None
            token = service.store(work, user, request.path, fields).token
    except InvalidInputError:
        return None
    flash(_("Sign in again. Your text has not been lost, but it is not saved yet."), "error")
    back = url_for("unsaved.show", token=token)
    return cast("Response", redirect(url_for("security.login", next=back)))


def writer_token() -> str:
    """Whose form it is, sealed so that nobody else can say it; for whoever is signed in."""
    return str(_serializer().dumps(current_user.id))


def _writer_id() -> int | None:
    """For whom the form that was just sent was made, however long ago their session ended."""
    try:
        found = _serializer().loads(
            request.form.get("_writer", ""), max_age=int(service.RETENTION.total_seconds())
        )
    except BadData:
        return None
    return int(found)


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), "the writer of a form")


def handle_expired_form() -> Response | None:
    """A form was sent whose token is too old: what was typed in it, and the way on. None where
    there is nothing to keep.
    """
    if not is_signed_in():
        return keep_for_sign_in()
    fields = _typed_fields()
    if not fields:
        return None
    page = render_template("unsaved/expired.html", path=request.path, fields=fields)
    return Response(page, 400)


def _typed_fields() -> list[tuple[str, str]]:
    """What was typed in the form that was just sent, if it is one of which text is kept."""
    if request.method != "POST" or not keeps_text_at(request.path):
        return []
    fields = service.typed_fields(request.form.items(multi=True))
    return fields if service.has_text(fields) else []


@blueprint.post("/unsaved")
@permission(WRITE)
def keep() -> ResponseReturnValue:
    """The script of a form sends what is typed so far."""
    path = request.form.get("_for", "")
    if not keeps_text_at(path):
        raise InvalidInputError(msg("There is no such form."))
    fields = service.typed_fields(request.form.items(multi=True))
    if service.has_text(fields):
        service.store(current_work(), current_user, path, fields)
    return "", 204


@blueprint.get("/unsaved/<token>")
@permission(WRITE)
def show(token: str) -> ResponseReturnValue:
    """What was typed, and the two things to do with it."""
    kept = service.get_by_token(current_work().session, token, current_user)
    if not keeps_text_at(kept.path):
        raise NotFoundError(msg("The form for this text no longer exists."))
    return render_template("unsaved/show.html", kept=kept)


@blueprint.post("/unsaved/<token>/discard")
@permission(WRITE)
def discard(token: str) -> ResponseReturnValue:
    work = current_work()
    service.discard(work, service.get_by_token(work.session, token, current_user))
    flash(_("The unsaved text has been discarded."), "success")
    return redirect(url_for("desk.show"), 303)
