"""Pages on which officers import projects: choose a file, check the preview, save as drafts."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from markupsafe import Markup

from node.access.permissions import EDIT, has_permission
from node.caches_and_limits import LimitExceededError
from node.councils import service as councils
from node.errors import InvalidInputError
from node.importing import organisations, repository, service
from node.importing.format_detection import read_projects
from node.importing.forms import ImportFileForm, ImportPreviewForm
from node.importing.limits import MAX_BYTES
from node.importing.matching import ImportOutcome
from node.importing.organisations import OwningOrganisation
from node.importing.parsed_project import ParsedProject
from node.importing.service import ImportResult
from node.messages import msg
from node.projects import service as projects_of
from node.projects.models import Project
from node.projects.validation import validate
from node.request import current_node, current_work, permission, read_only

blueprint = Blueprint("importing", __name__, template_folder="templates")

# What an import would do with a project, on the preview.
OUTCOME_LABELS = {
    ImportOutcome.draft: _l("New draft"),
    ImportOutcome.differs: _l("Already exists, but is different"),
    ImportOutcome.unchanged: _l("Already exists, and is the same"),
    ImportOutcome.kept: _l(
        "Already exists and has been changed here since, so it will not be updated"
    ),
    ImportOutcome.known: _l(
        "A project with this name already exists, so this one will not be imported"
    ),
}
PARTICIPATION_LABELS = {
    "watcher": _l("Watched the project"),
    "approved": _l("Took part"),
    "pending": _l("Asked to take part"),
    "rejected": _l("Not accepted"),
}
# Files that one person may have fetched from other sites per day.
MAX_FETCHES_PER_DAY = 200


@blueprint.get("/projects/import")
@permission(EDIT)
def choose() -> ResponseReturnValue:
    return render_template("importing/choose.html", form=ImportFileForm())


@blueprint.post("/projects/import")
@permission(EDIT)
@read_only
def look() -> ResponseReturnValue:
    """Read the file, and preview what would be imported and what is missing."""
    form = ImportFileForm()
    if not form.validate_on_submit():
        return render_template("importing/choose.html", form=form), 400
    try:
        name, data = _read_upload(form)
        source = form.source.data or ""
        projects = read_projects(name, data, source)
    except InvalidInputError as error:
        field = "file" if form.file.data else "address"
        errors = error.fields or {field: error.safe_text}
        form.add_errors(InvalidInputError(error.safe_text, errors))
        return render_template("importing/choose.html", form=form), 400
    preview = ImportPreviewForm(formdata=None)
    preview.embed_file(name, data, source)
    return _render_preview(preview, projects)


def _render_preview(form: ImportPreviewForm, projects: Sequence[ParsedProject]) -> str:
    """The preview: what the import would do with our projects, and which others the file has."""
    session = current_work().session
    names = [councils.require_own(session).name]
    others = organisations.list_others(projects, names)
    own_projects = (
        organisations.select_of(projects, names) if _count_projects(others) < len(projects) else []
    )
    form.organisations.choices = [(owner.name, owner.name) for owner in others]
    return render_template(
        "importing/preview.html",
        form=form,
        matches=service.preview(session, own_projects),
        others=others,
        outcomes=OUTCOME_LABELS,
        one=own_projects[0] if len(projects) == len(own_projects) == 1 else None,
    )


def _count_projects(owners: Iterable[OwningOrganisation]) -> int:
    return sum(len(owner.projects) for owner in owners)


def _read_upload(form: ImportFileForm) -> tuple[str, bytes]:
    """The name and content of the uploaded or fetched file. Raises `InvalidInputError`."""
    upload, address = form.file.data, (form.address.data or "").strip()
    if upload:
        return upload.filename or "", upload.stream.read(MAX_BYTES + 1)
    if not address:
        raise InvalidInputError(
            msg("There is nothing to import."),
            {"file": msg("Select a file, or enter the address of a repository")},
        )
    work, node = current_work(), current_node()
    repository.candidate_urls(address)
    try:
        node.audit_limiter.hit(f"import {work.by.id}", MAX_FETCHES_PER_DAY)
    except LimitExceededError as error:
        raise InvalidInputError(
            msg("You have fetched too many files today."),
            {"address": msg("You have fetched too many files today. Upload this file instead.")},
        ) from error
    work.pause()
    return repository.fetch_file(node.outbound.public_only, address)


@blueprint.post("/projects/import/save")
@permission(EDIT)
@read_only
def save() -> ResponseReturnValue:
    """Save the previewed projects as drafts."""
    form = ImportPreviewForm()
    try:
        projects = read_projects(form.name.data or "", form.embedded_file(), form.source.data or "")
    except InvalidInputError:
        flash(_("We no longer have the file. Select it again."), "error")
        return redirect(url_for("importing.choose"), 303)
    if not form.validate_on_submit():
        return _render_preview(form, projects), 400
    work = current_work()
    names = [councils.require_own(work.session).name, *(form.organisations.data or [])]
    by, completed = work.by, projects
    work.pause()
    try:
        completed = organisations.select_of(projects, names)
        if len(projects) == 1:
            completed = [_fill_missing_fields(completed[0], form)]
        results = service.import_projects(
            current_node(), by, completed, update=bool(form.update.data)
        )
    except InvalidInputError as error:
        form.add_errors(
            _assign_to_page_fields(completed[0], error) if len(projects) == 1 else error
        )
        return _render_preview(form, projects), 400
    return _redirect_after_import(results)


def _redirect_after_import(results: Sequence[ImportResult]) -> ResponseReturnValue:
    if len(results) == 1:
        _flash_outcome(results[0].outcome)
        return redirect(url_for("projects.show", token=results[0].token), 303)
    created = sum(result.outcome is ImportOutcome.draft for result in results)
    changed = sum(result.outcome is ImportOutcome.updated for result in results)
    flash(
        _(
            "%(made)s of %(count)s projects have been saved as new drafts.",
            made=created,
            count=len(results),
        ),
        "success",
    )
    if changed:
        words = ngettext(
            "%(num)s project has been changed.", "%(num)s projects have been changed.", changed
        )
        flash(words, "success")
    return redirect(url_for("projects.drafts"), 303)


def _fill_missing_fields(project: ParsedProject, form: ImportPreviewForm) -> ParsedProject:
    """The project with the missing fields as the officer entered them."""
    entered = {name: form[name].data or "" for name in project.missing}
    title = entered.get("title", project.text.title)
    summary = entered.get("summary", project.text.summary)
    return replace(project, text=replace(project.text, title=title, summary=summary))


def _assign_to_page_fields(project: ParsedProject, error: InvalidInputError) -> InvalidInputError:
    """The error, with its messages assigned to the fields of this page where it has them."""
    try:
        validate(project.text)
    except InvalidInputError as invalid:
        fields = {
            name: text for name, text in invalid.fields.items() if name in {"title", "summary"}
        }
        return InvalidInputError(error.safe_text, fields)
    return error


def render_section(project: Project) -> Markup:
    """Section of the project page for our officers: the people recorded with the import."""
    if not project.is_local or not has_permission(EDIT):
        return Markup("")
    record = service.find_record(current_work().session, project)
    if record is None:
        return Markup("")
    return Markup(  # noqa: S704 -- our own template
        render_template(
            "importing/_people.html",
            project=project,
            people=record.people,
            names=PARTICIPATION_LABELS,
        )
    )


@blueprint.post("/projects/<token>/imported-people/forget")
@permission(EDIT)
def forget_people(token: str) -> ResponseReturnValue:
    work = current_work()
    service.forget_people(work, projects_of.get_for_update(work.session, token))
    flash(_("The details have been deleted."), "success")
    return redirect(url_for("projects.show", token=token), 303)


def _flash_outcome(outcome: ImportOutcome) -> None:
    messages = {
        ImportOutcome.draft: _("The project has been saved as a draft. Check it, then publish it."),
        ImportOutcome.updated: _("The project already existed. It now matches the file."),
        ImportOutcome.differs: _("The project already exists, and was not changed."),
        ImportOutcome.unchanged: _("The project already exists, and nothing has changed."),
        ImportOutcome.kept: _(
            "The project already exists and has been changed here since, so it was not updated."
        ),
        ImportOutcome.known: _("A project with this name already exists. Nothing was imported."),
    }
    flash(
        messages[outcome],
        "success" if outcome in {ImportOutcome.draft, ImportOutcome.updated} else "info",
    )
