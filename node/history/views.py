"""The pages of a project's history."""

from itertools import pairwise
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node.errors import InvalidInputError, NotFoundError
from node.federating.readers import Reader
from node.federating.views.asking import current_reader
from node.history import service, written
from node.languages import said
from node.projects import rendering
from node.projects import service as projects
from node.projects.models import Project
from node.request import PUBLIC, current_work, permission, row_id
from node.wording import say

blueprint = Blueprint("history", __name__, template_folder="templates")

EDIT = "projects.edit"


@blueprint.get("/projects/<token>/history")
@permission(PUBLIC)
def index(token: str) -> ResponseReturnValue:
    """The versions of a project, newest first, with what changed in each."""
    project, reader = _asked(token)
    session = current_work().session
    page = service.listed(session, project, reader, request.args.get("page", 1, type=int))
    row = [*page.versions, *([page.before] if page.before else [])]
    texts = {version.number: service.text_of(version) for version in row}
    changed = {
        newer.number: [
            change.label for change in written.changes(texts[older.number], texts[newer.number])
        ]
        for newer, older in pairwise(row)
    }
    before = {newer.number: older.number for newer, older in pairwise(row)}
    return _page("index", project, reader, page=page, changed=changed, before=before)


@blueprint.get("/projects/<token>/history/<int:number>")
@permission(PUBLIC)
def show(token: str, number: int) -> ResponseReturnValue:
    """One version, whole."""
    project, reader = _asked(token)
    version = service.one(current_work().session, project, reader, number)
    parts = [each for each in written.parts(service.text_of(version)).values() if each.value]
    return _page("version", project, reader, version=version, parts=parts)


@blueprint.get("/projects/<token>/history/compare")
@permission(PUBLIC)
def compare(token: str) -> ResponseReturnValue:
    """Two versions: what changed from the older to the newer."""
    project, reader = _asked(token)
    session = current_work().session
    numbers = sorted(request.args.get(name, 0, type=row_id) for name in ("from", "to"))
    older, newer = (service.one(session, project, reader, number) for number in numbers)
    changes = written.changes(service.text_of(older), service.text_of(newer))
    return _page("compare", project, reader, older=older, newer=newer, changes=changes)


@blueprint.post("/projects/<token>/history/<int:number>/restore")
@permission(EDIT)
def restore(token: str, number: int) -> ResponseReturnValue:
    """Write again what a version says."""
    work, reader = current_work(), current_reader()
    project = projects.for_change(work.session, token)
    version = service.one(work.session, project, reader, number)
    try:
        text = service.text_of(version)
        work.pause()
        rendering.prepare(text)
        project = projects.for_change(work.session, token)
        service.restore(work, project, version)
    except InvalidInputError as error:
        # The rules were others when it was written.
        work.session.rollback()
        flash(said(error.safe_text), "error")
        return redirect(url_for("history.show", token=token, number=number), 303)
    flash(_("Version %(number)s has been restored.", number=number), "success")
    return redirect(url_for("projects.show", token=token), 303)


def _asked(token: str) -> tuple[Project, Reader]:
    """A project of ours, and who asks. Others' nodes have the history of theirs."""
    reader = current_reader()
    project = projects.by_token(current_work().session, token, reader, drafts=True)
    if not project.is_local:
        raise NotFoundError(
            say("This project belongs to another council, which keeps its history.")
        )
    return project, reader


def _page(name: str, project: Project, reader: Reader, **context: Any) -> str:
    return render_template(
        f"history/{name}.html", project=project, shows_names=reader.is_ours, **context
    )
