"""The pages of a project's history."""

from itertools import pairwise
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node.access.permissions import EDIT
from node.access.viewer import Viewer
from node.errors import InvalidInputError, NotFoundError
from node.federating.views.current_viewer import current_viewer
from node.history import field_values, service
from node.languages import translate
from node.messages import msg
from node.projects import rendering
from node.projects import service as projects
from node.projects.models import Project
from node.request import PUBLIC, current_work, page_number, parse_row_id, permission

blueprint = Blueprint("history", __name__, template_folder="templates")


@blueprint.get("/projects/<token>/history")
@permission(PUBLIC)
def index(token: str) -> ResponseReturnValue:
    """The versions of a project, newest first, with the fields that changed in each."""
    project, reader = _load_project(token)
    session = current_work().session
    page = service.list_page(session, project, reader, page_number())
    versions = list(page.rows)
    if page.next:
        last_number = versions[-1].number
        versions += service.list_before(session, project, reader, last_number, limit=1)
    texts = {version.number: service.to_input(version) for version in versions}
    changed = {
        newer.number: [
            change.label
            for change in field_values.list_changes(texts[older.number], texts[newer.number])
        ]
        for newer, older in pairwise(versions)
    }
    previous = {newer.number: older.number for newer, older in pairwise(versions)}
    return _render_page("index", project, reader, page=page, changed=changed, previous=previous)


@blueprint.get("/projects/<token>/history/<int:number>")
@permission(PUBLIC)
def show(token: str, number: int) -> ResponseReturnValue:
    """A complete version."""
    project, reader = _load_project(token)
    version = service.get_version(current_work().session, project, reader, number)
    parts = [
        value
        for value in field_values.list_values(service.to_input(version)).values()
        if value.value
    ]
    return _render_page("version", project, reader, version=version, parts=parts)


@blueprint.get("/projects/<token>/history/compare")
@permission(PUBLIC)
def compare(token: str) -> ResponseReturnValue:
    """The changes from the older to the newer of two versions."""
    project, reader = _load_project(token)
    session = current_work().session
    numbers = sorted(request.args.get(name, 0, type=parse_row_id) for name in ("from", "to"))
    older, newer = (service.get_version(session, project, reader, number) for number in numbers)
    changes = field_values.list_changes(service.to_input(older), service.to_input(newer))
    return _render_page("compare", project, reader, older=older, newer=newer, changes=changes)


@blueprint.post("/projects/<token>/history/<int:number>/restore")
@permission(EDIT)
def restore(token: str, number: int) -> ResponseReturnValue:
    """Restore a version."""
    work, reader = current_work(), current_viewer()
    project = projects.get_for_update(work.session, token)
    version = service.get_version(work.session, project, reader, number)
    try:
        text = service.to_input(version)
        work.pause()
        rendering.prerender(text)
        project = projects.get_for_update(work.session, token)
        service.restore(work, project, version)
    except InvalidInputError as error:
        # The validation rules have changed since the version was written.
        work.session.rollback()
        flash(translate(error.safe_text), "error")
        return redirect(url_for("history.show", token=token, number=number), 303)
    flash(_("Version %(number)s has been restored.", number=number), "success")
    return redirect(url_for("projects.show", token=token), 303)


def _load_project(token: str) -> tuple[Project, Viewer]:
    """A local project, and the viewer. Other councils keep the history of their projects."""
    reader = current_viewer()
    project = projects.by_token(current_work().session, token, reader, include_drafts=True)
    if not project.is_local:
        raise NotFoundError(
            msg(
                "You cannot see the history of this project here because it belongs to "
                "another council."
            )
        )
    return project, reader


def _render_page(name: str, project: Project, viewer: Viewer, **context: Any) -> str:
    return render_template(
        f"history/{name}.html", project=project, shows_names=viewer.is_local_user, **context
    )
