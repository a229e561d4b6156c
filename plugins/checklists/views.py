"""The pages of checklists."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node import api
from plugins.checklists import service
from plugins.checklists.definitions import shipped
from plugins.checklists.forms import answer_form

PLUGIN = "checklists"
ANSWER = "checklists.answer"


def blueprint() -> Blueprint:
    """New for every application, as Flask wants it."""
    pages = Blueprint(PLUGIN, __name__, url_prefix="/checklists", template_folder="templates")
    pages.add_url_rule("", view_func=index)
    address = "/<checklist_id>/projects/<token>"
    pages.add_url_rule(address, view_func=show)
    pages.add_url_rule(address, view_func=answer, methods=["POST"])
    return pages


@api.permission(api.PUBLIC)
def index() -> ResponseReturnValue:
    """Every checklist, with where it comes from."""
    return render_template("checklists/index.html", checklists=list(shipped().values()))


@api.permission(ANSWER)
def show(checklist_id: str, token: str) -> ResponseReturnValue:
    """The questions about one project, with the answers so far."""
    checklist, project = service.checklist(checklist_id), api.project(token)
    form = answer_form(checklist)
    with api.work(PLUGIN) as work:
        for question, value in service.answers(work.session, checklist, project.uri).items():
            form[question].data = value
    return render_template(
        "checklists/answer.html", checklist=checklist, project=project, form=form
    )


@api.permission(ANSWER)
def answer(checklist_id: str, token: str) -> ResponseReturnValue:
    """Keep the answers, and go back to the project."""
    checklist, project = service.checklist(checklist_id), api.project(token)
    form = answer_form(checklist)
    again = {"checklist": checklist, "project": project, "form": form}
    if not form.validate_on_submit():
        return render_template("checklists/answer.html", **again), 400
    given = {question.id: form[question.id].data for question in checklist.questions}
    try:
        with api.work(PLUGIN) as work:
            service.record(work, checklist, project.uri, given)
    except api.InvalidInputError as error:
        form.show(error)
        return render_template("checklists/answer.html", **again), 400
    flash(_("Your answers are saved."), "success")
    return redirect(url_for("projects.show", token=project.token), 303)
