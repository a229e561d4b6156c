"""Pages on which officers import projects: choose, look at what was read, save as drafts."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from markupsafe import Markup

from node.councils import service as councils
from node.errors import InvalidInputError
from node.importing import organisations, repository, service
from node.importing.forms import ImportForm, PreviewForm
from node.importing.found import Found
from node.importing.limits import MAX_BYTES
from node.importing.matching import Done
from node.importing.organisations import Owner
from node.importing.recognising import read
from node.importing.service import Taken
from node.people.permissions import may
from node.projects import service as projects_of
from node.projects.models import Project
from node.projects.writing import check
from node.recent import BusyError
from node.request import current_node, current_work, only_reads, permission
from node.wording import say

blueprint = Blueprint("importing", __name__, template_folder="templates")

EDIT = "projects.edit"
# What would come of a project of a file.
OUTCOMES = {
    Done.draft: _l("New draft"),
    Done.differs: _l("Already exists, but is different"),
    Done.unchanged: _l("Already exists, and is the same"),
    Done.kept: _l("Already exists, and has been changed here since: left as it is"),
    Done.known: _l("A project with this name already exists: left as it is"),
}
STANDINGS = {
    "watcher": _l("Watched the project"),
    "approved": _l("Took part"),
    "pending": _l("Asked to take part"),
    "rejected": _l("Not accepted"),
}
# How many files of others one person has fetched in a day.
MOST_FETCHED = 200


@blueprint.get("/projects/import")
@permission(EDIT)
def choose() -> ResponseReturnValue:
    return render_template("importing/choose.html", form=ImportForm())


@blueprint.post("/projects/import")
@permission(EDIT)
@only_reads
def look() -> ResponseReturnValue:
    """Read the file, and show what would be saved and what is missing."""
    form = ImportForm()
    if not form.validate_on_submit():
        return render_template("importing/choose.html", form=form), 400
    try:
        name, data = _given(form)
        source = form.source.data or ""
        projects = read(name, data, source)
    except InvalidInputError as error:
        part = "file" if form.file.data else "address"
        wrong = error.fields or {part: error.safe_text}
        form.show(InvalidInputError(error.safe_text, wrong))
        return render_template("importing/choose.html", form=form), 400
    preview = PreviewForm(formdata=None)
    preview.carry(name, data, source)
    return _preview(preview, projects)


def _preview(form: PreviewForm, projects: Sequence[Found]) -> str:
    """What is in a file and what would come of it; projects of others apart."""
    session = current_work().session
    wanted = [councils.require_own(session).name]
    others = organisations.others(projects, wanted)
    ours = organisations.chosen(projects, wanted) if _count(others) < len(projects) else []
    form.organisations.choices = [(each.name, each.name) for each in others]
    return render_template(
        "importing/preview.html",
        form=form,
        matches=service.preview(session, ours),
        others=others,
        outcomes=OUTCOMES,
        one=ours[0] if len(projects) == len(ours) == 1 else None,
    )


def _count(owners: Iterable[Owner]) -> int:
    return sum(len(each.projects) for each in owners)


def _given(form: ImportForm) -> tuple[str, bytes]:
    """The name and the content of the file. Raises `InvalidInputError`."""
    upload, address = form.file.data, (form.address.data or "").strip()
    if upload:
        return upload.filename or "", upload.stream.read(MAX_BYTES + 1)
    if not address:
        raise InvalidInputError(
            say("There is nothing to import."),
            {"file": say("Select a file, or enter the address of a repository")},
        )
    work, node = current_work(), current_node()
    repository.places(address)
    try:
        node.deeds.spend(f"import {work.by}", MOST_FETCHED)
    except BusyError as error:
        raise InvalidInputError(
            say("You have fetched too many files today."),
            {"address": say("You have fetched too many files today. Upload this file instead")},
        ) from error
    work.pause()
    return repository.fetch(node.outbound.public_only, address)


@blueprint.post("/projects/import/save")
@permission(EDIT)
@only_reads
def save() -> ResponseReturnValue:
    """Save what was looked at as drafts."""
    form = PreviewForm()
    try:
        projects = read(form.name.data or "", form.carried(), form.source.data or "")
    except InvalidInputError:
        flash(_("We no longer have the file. Select it again."), "error")
        return redirect(url_for("importing.choose"), 303)
    if not form.validate_on_submit():
        return _preview(form, projects), 400
    work = current_work()
    wanted = [councils.require_own(work.session).name, *(form.organisations.data or [])]
    by, completed = work.by, projects
    work.pause()
    try:
        completed = organisations.chosen(projects, wanted)
        if len(projects) == 1:
            completed = [_completed(completed[0], form)]
        taken = service.take(current_node(), by, completed, update=bool(form.update.data))
    except InvalidInputError as error:
        form.show(_beside(completed[0], error) if len(projects) == 1 else error)
        return _preview(form, projects), 400
    return _after(taken)


def _after(taken: Sequence[Taken]) -> ResponseReturnValue:
    if len(taken) == 1:
        _say(taken[0].done)
        return redirect(url_for("projects.show", token=taken[0].token), 303)
    made = sum(each.done is Done.draft for each in taken)
    changed = sum(each.done is Done.updated for each in taken)
    flash(
        _("%(made)s of %(count)s projects were saved as new drafts.", made=made, count=len(taken)),
        "success",
    )
    if changed:
        words = ngettext("%(num)s project was changed.", "%(num)s projects were changed.", changed)
        flash(words, "success")
    return redirect(url_for("projects.drafts"), 303)


def _completed(found: Found, form: PreviewForm) -> Found:
    """With what the file had not, and the officer wrote."""
    written = {name: form[name].data or "" for name in found.missing}
    title = written.get("title", found.text.title)
    summary = written.get("summary", found.text.summary)
    return replace(found, text=replace(found.text, title=title, summary=summary))


def _beside(found: Found, error: InvalidInputError) -> InvalidInputError:
    """The error beside the fields of this page that it is about."""
    try:
        check(found.text)
    except InvalidInputError as wrong:
        fields = {name: text for name, text in wrong.fields.items() if name in {"title", "summary"}}
        return InvalidInputError(error.safe_text, fields)
    return error


def section(project: Project) -> Markup:
    """Who took part in a project where it was imported from, for our own people on its page."""
    if not may(EDIT):
        return Markup("")
    record = service.of_project(current_work().session, project)
    if record is None:
        return Markup("")
    return Markup(  # noqa: S704 -- our own template
        render_template(
            "importing/_people.html", project=project, people=record.people, names=STANDINGS
        )
    )


@blueprint.post("/projects/<token>/imported-people/forget")
@permission(EDIT)
def forget_people(token: str) -> ResponseReturnValue:
    work = current_work()
    service.forget_people(work, projects_of.for_change(work.session, token))
    flash(_("The details are deleted."), "success")
    return redirect(url_for("projects.show", token=token), 303)


def _say(done: Done) -> None:
    said = {
        Done.draft: _("The project is saved as a draft. Check it, then publish it."),
        Done.updated: _("The project already existed. It now matches the file."),
        Done.differs: _("The project already exists, and was not changed."),
        Done.unchanged: _("The project already exists, and nothing has changed."),
        Done.kept: _(
            "The project already exists and has been changed here since, so we left it as it is."
        ),
        Done.known: _("A project with this name already exists. Nothing was imported."),
    }
    flash(said[done], "success" if done in {Done.draft, Done.updated} else "info")
