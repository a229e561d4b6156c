"""The pages for handing a project over to another person of the council."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from markupsafe import Markup

from node.access.permissions import EDIT, ProjectRight, has_permission
from node.errors import ForbiddenError, InvalidInputError
from node.handover import service
from node.handover.forms import OfferForm
from node.messages import msg
from node.projects import service as projects
from node.projects.models import Project
from node.request import current_work, keeps_input, permission

blueprint = Blueprint("handover", __name__, template_folder="templates")


@blueprint.get("/projects/<token>/hand-over")
@permission(EDIT)
def edit(token: str) -> ResponseReturnValue:
    """Offer a project to a new owner, or answer or withdraw an offer."""
    return _render_form(
        projects.get_for_update(current_work().session, token), OfferForm(formdata=None)
    )


@blueprint.post("/projects/<token>/hand-over")
@permission(EDIT)
@keeps_input
def offer(token: str) -> ResponseReturnValue:
    form, work = OfferForm(), current_work()
    project = projects.get_for_update(work.session, token)
    _require_can_transfer(project)
    if not form.validate_on_submit():
        return _render_form(project, form), 400
    try:
        hand_over = service.offer(
            work, project, current_user, form.selected_id(), form.note.data or ""
        )
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_form(project, form), 400
    flash(_("The project has been offered to %(who)s.", who=hand_over.to_user.name), "success")
    return redirect(url_for("projects.show", token=token), 303)


@blueprint.post("/projects/<token>/hand-over/<any(accept, decline, withdraw):verb>")
@permission(EDIT)
def answer(token: str, verb: str) -> ResponseReturnValue:
    work = current_work()
    project = projects.get_for_update(work.session, token)
    if verb == "accept":
        service.accept(work, project, current_user)
        flash(_("You are now the owner of this project."), "success")
    elif verb == "decline":
        service.decline(work, project, current_user)
        flash(_("You have declined this project. Its owner has not changed."), "success")
    else:
        _require_can_transfer(project)
        service.withdraw(work, project)
        flash(_("The offer has been withdrawn."), "success")
    return redirect(url_for("projects.show", token=token), 303)


@blueprint.post("/projects/<token>/take-on")
@permission(EDIT)
def take_on(token: str) -> ResponseReturnValue:
    """Become the owner of a project that has none; a coordinator can take on any project."""
    work = current_work()
    project = projects.get_for_update(work.session, token)
    if ProjectRight.take_on not in service.list_rights(project, current_user):
        raise ForbiddenError(
            msg("This project already has an owner. Ask them to hand it over to you.")
        )
    service.take_on(work, project, current_user)
    flash(_("You are now the owner of this project."), "success")
    return redirect(url_for("projects.show", token=token), 303)


def render_section(project: Project) -> Markup:
    """The open offer of a project, as a section of its page."""
    hand_over = (
        service.get_open_offer(current_work().session, project) if has_permission(EDIT) else None
    )
    if hand_over is None:
        return Markup("")
    page = render_template(
        "handover/_section.html",
        project=project,
        offer=hand_over,
        can_withdraw=ProjectRight.transfer in service.list_rights(project, current_user),
    )
    return Markup(page)  # noqa: S704 -- our own template


def _require_can_transfer(project: Project) -> None:
    """Raises `ForbiddenError` if the user may not hand over the project."""
    if ProjectRight.transfer not in service.list_rights(project, current_user):
        raise ForbiddenError(
            msg(
                "Only the owner of this project or a coordinator can hand it over or "
                "withdraw an offer."
            )
        )


def _render_form(project: Project, form: OfferForm) -> str:
    session = current_work().session
    form.set_choices(service.list_candidates(session, project))
    return render_template(
        "handover/edit.html",
        project=project,
        form=form,
        offer=service.get_open_offer(session, project),
        has_owner=service.has_owner(project),
    )
