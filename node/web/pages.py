"""Pages that belong to no single room: home, council pages, first run and health checks."""

import hmac
from datetime import date
from functools import partial

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import login_user
from sqlalchemy import text
from wtforms import HiddenField, PasswordField, StringField

from node.councils import service as councils
from node.councils.first_run import FirstRunInput, set_up
from node.councils.models import Council
from node.councils.places import REGION_LABELS
from node.data_folder import get_secret_key
from node.errors import ForbiddenError, InvalidInputError, NotFoundError
from node.federating.views.current_viewer import current_viewer
from node.forms import BaseForm
from node.messages import msg
from node.people import session_cookies
from node.people.sign_in import first_run_token
from node.portfolio.council_summary import summarise_council
from node.principal import Via
from node.projects import service as projects
from node.request import (
    PUBLIC,
    activity_response,
    cached_json,
    current_node,
    current_work,
    page_number,
    permission,
    wants_activity,
)
from node.runtime import Document

blueprint = Blueprint("pages", __name__)

MAX_LATEST = 6


@blueprint.get("/")
@permission(PUBLIC)
def home() -> ResponseReturnValue:
    """The home page."""
    session = current_work().session
    if councils.get_own(session) is None:
        return render_template("setting_up.html")
    latest = projects.list_newest(session, projects.ProjectFilter(current_viewer()), MAX_LATEST)
    return render_template(
        "home.html",
        council=councils.get_own(session),
        projects=latest,
        follows=councils.list_followed(session),
    )


@blueprint.get("/accessibility")
@permission(PUBLIC)
def accessibility() -> ResponseReturnValue:
    """The accessibility statement, with the contact and known problems of the settings."""
    settings = current_node().settings
    reviewed = settings.accessibility_reviewed
    return render_template(
        "accessibility.html",
        contact=settings.accessibility_contact,
        known=settings.accessibility_known,
        reviewed=date.fromisoformat(reviewed) if reviewed else None,
    )


@blueprint.get("/councils/<slug>")
@permission(PUBLIC)
def own_council(slug: str) -> ResponseReturnValue:
    """The page of our own council, or its actor document for another server."""
    if wants_activity():
        return activity_response(cached_json(f"council {slug}", partial(_council_document, slug)))
    return _render_council(_require_own_council(slug))


def _council_document(slug: str) -> Document:
    return councils.build_document(current_work().settings, _require_own_council(slug)).dump()


def _require_own_council(slug: str) -> Council:
    council = councils.by_slug(current_work().session, slug)
    if council is None:
        raise NotFoundError(msg("Council not found."))
    return council


@blueprint.get("/councils/<int:council_id>")
@permission(PUBLIC)
def known_council(council_id: int) -> ResponseReturnValue:
    """The page of another node's council."""
    council = current_work().session.get(Council, council_id)
    if council is None:
        raise NotFoundError(msg("Council not found."))
    if council.slug:
        return redirect(url_for("pages.own_council", slug=council.slug))
    return _render_council(council)


def _render_council(council: Council) -> str:
    session = current_work().session
    project_filter = projects.ProjectFilter(current_viewer(), council_id=council.id)
    page = projects.list_page(session, project_filter, page_number())
    return render_template(
        "councils/council.html",
        council=council,
        page=page,
        summary=summarise_council(session, council, current_viewer()),
        region=REGION_LABELS.get(council.region) if council.region else None,
    )


class FirstRunForm(BaseForm):
    """The form of the first-run page. `token` proves that the user can read the node's console."""

    name = StringField(_l("Council name"))
    slug = StringField(
        _l("Short name"),
        description=_l(
            "The council’s name on other servers. For example, aldermoor. You "
            "cannot change this later."
        ),
    )
    colour = StringField(_l("Colour (optional)"), description=_l("For example, #1d5b4f"))
    gss_code = StringField(_l("GSS code (optional)"), description=_l("For example, E06000037"))
    person_name = StringField(_l("Your name"))
    email = StringField(_l("Your email address"))
    password = PasswordField(
        _l("Password"), description=_l("Use at least 12 characters, for example 3 random words")
    )
    token = HiddenField()

    def to_input(self) -> FirstRunInput:
        names = ("name", "slug", "colour", "gss_code", "person_name", "email", "password")
        return FirstRunInput(**{name: self[name].data or "" for name in names})


@blueprint.get("/first-run")
@permission(PUBLIC)
def first_run_form() -> ResponseReturnValue:
    _require_first_run(request.args.get("token", ""))
    form = FirstRunForm()
    form.token.data = request.args["token"]
    return render_template("first_run.html", form=form)


@blueprint.post("/first-run")
@permission(PUBLIC)
def first_run() -> ResponseReturnValue:
    """Set up the node and sign in its operator."""
    form, work = FirstRunForm(), current_work()
    _require_first_run(form.token.data or "")
    if not form.validate_on_submit():
        return render_template("first_run.html", form=form), 400
    work.pause()  # hashing a password takes time, and needs no transaction
    try:
        operator = set_up(work, form.to_input())
    except InvalidInputError as error:
        form.add_errors(error)
        return render_template("first_run.html", form=form), 400
    work.by = operator.to_principal(Via.session)
    login_user(operator)
    session_cookies.begin_session(work, operator)
    flash(
        _("Your server is ready. Publish your first project, or follow another council."), "success"
    )
    return redirect(url_for("pages.home"), 303)


def _require_first_run(token: str) -> None:
    if councils.get_own(current_work().session) is not None:
        raise NotFoundError(msg("This server has already been set up."))
    expected = first_run_token(get_secret_key(current_node().settings))
    if not hmac.compare_digest(token.encode(), expected.encode()):
        raise ForbiddenError(msg("Open the address that the server printed when it started."))


@blueprint.get("/healthz")
@permission(PUBLIC)
def healthy() -> ResponseReturnValue:
    """Liveness check: the process responds."""
    return Response("ok\n", content_type="text/plain")


@blueprint.get("/readyz")
@permission(PUBLIC)
def ready() -> ResponseReturnValue:
    """Readiness check: the database responds too."""
    current_work().session.execute(text("SELECT 1"))
    return Response("ok\n", content_type="text/plain")
