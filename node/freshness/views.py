"""Shows the freshness of projects on their pages and in lists, and lets users confirm it."""

from datetime import date

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from node.access.permissions import EDIT
from node.errors import InvalidInputError
from node.freshness import labels, service
from node.freshness.forms import ReviewDateForm
from node.projects import review_dates
from node.projects import service as projects
from node.projects.details import Freshness
from node.projects.models import Project
from node.request import current_work, permission

blueprint = Blueprint("freshness", __name__, template_folder="templates")


def render_section(project: Project) -> Markup:
    """The freshness of a project with its reasons, for its page."""
    last_update_on = service.last_update_on(current_work().session, project)
    reasons = labels.list_reasons(project, last_update_on, review_dates.today())
    return Markup(  # noqa: S704 -- our own template
        render_template(
            "freshness/_section.html",
            project=project,
            reasons=reasons,
            silence=_render_silence(project),
        )
    )


def render_short(project: Project) -> Markup:
    """The freshness of a project as a tag and at most one sentence, for lists."""
    is_late = project.freshness in {Freshness.due, Freshness.stale}
    reason = labels.overdue_sentence(project) if is_late else ""
    return Markup(  # noqa: S704 -- our own template
        render_template(
            "freshness/_short.html",
            project=project,
            reason=_render_silence(project) or reason,
        )
    )


def _render_silence(project: Project) -> str:
    """That the server of another council's project is silent; empty if it is not."""
    if project.is_local:
        return ""
    if "silent" not in g:
        g.silent = service.find_silent_councils(current_work())
    silent: dict[int, date] = g.silent
    heard_on = silent.get(project.council_id)
    return labels.silence_sentence(project.council.actor.host, heard_on) if heard_on else ""


@blueprint.get("/projects/<token>/review-date")
@permission(EDIT)
def choose_form(token: str) -> ResponseReturnValue:
    """The form to choose a project's review date."""
    project = projects.get_for_update(current_work().session, token)
    form = ReviewDateForm(formdata=None)
    form.day.process(None, project.review_chosen_on)
    return render_template("freshness/choose.html", form=form, project=project)


@blueprint.post("/projects/<token>/review-date")
@permission(EDIT)
def choose(token: str) -> ResponseReturnValue:
    form, work = ReviewDateForm(), current_work()
    project = projects.get_for_update(work.session, token)
    try:
        if form.validate_on_submit():
            service.choose_review_date(work, project, form.day.data)
            _flash_thanks(project)
            return redirect(url_for("projects.show", token=token), 303)
    except InvalidInputError as error:
        form.add_errors(error)
    return render_template("freshness/choose.html", form=form, project=project), 400


@blueprint.post("/projects/<token>/confirm")
@permission(EDIT)
def confirm(token: str) -> ResponseReturnValue:
    """Confirm that a project is up to date; an archived one is restored."""
    work = current_work()
    project = projects.get_for_update(work.session, token)
    was_archived = project.freshness is Freshness.archived
    service.confirm(work, project)
    if was_archived:
        flash(_("The project has been restored from the archive."), "success")
    else:
        _flash_thanks(project)
    if request.args.get("back") == "desk":
        return redirect(url_for("desk.show"), 303)
    return redirect(url_for("projects.show", token=token), 303)


def _flash_thanks(project: Project) -> None:
    if project.review_on:
        message = _(
            "Thank you. The next review is on %(day)s.", day=labels.format_day(project.review_on)
        )
        flash(message, "success")
    else:
        flash(_("Thank you. You have confirmed that the project is up to date."), "success")
