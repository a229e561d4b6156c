"""The editor's pages for a whole draft: create, import, arrange, publish, delete."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node import api
from node.api import ConflictError, InvalidInputError, msg
from plugins.checklists import draft_editing, library
from plugins.checklists.access import DEFINE, PLUGIN
from plugins.checklists.definitions.changes import list_changes
from plugins.checklists.definitions.data_reader import DefinitionError
from plugins.checklists.definitions.parsing import MAX_BYTES, parse_data, parse_yaml
from plugins.checklists.pages.edit_forms import ImportChecklistForm, NewChecklistForm


@api.permission(DEFINE)
def new() -> ResponseReturnValue:
    return render_template("checklists/new.html", form=NewChecklistForm())


@api.permission(DEFINE)
@api.keeps_input
def invent() -> ResponseReturnValue:
    form = NewChecklistForm()
    if form.validate_on_submit():
        try:
            with api.work(PLUGIN) as work:
                draft_editing.create_checklist(work, form.id.data or "", form.title.data or "")
            return redirect(url_for("checklists.edit", checklist_id=form.id.data), 303)
        except InvalidInputError as error:
            form.add_errors(error)
    return render_template("checklists/new.html", form=form), 400


@api.permission(DEFINE)
def ask_import() -> ResponseReturnValue:
    return render_template("checklists/import.html", form=ImportChecklistForm())


@api.permission(DEFINE)
@api.keeps_input
def import_file() -> ResponseReturnValue:
    """Import a checklist as a draft, which can be checked before it is published."""
    form = ImportChecklistForm()
    if form.validate_on_submit():
        file = form.file.data
        text = file.read(MAX_BYTES + 1) if file else (form.text.data or "").encode()
        try:
            checklist = parse_yaml(text)
            with api.work(PLUGIN) as work:
                draft_editing.start_new_draft(work, checklist)
            return redirect(url_for("checklists.edit", checklist_id=checklist.id), 303)
        except DefinitionError as error:
            problem = msg("In %(place)s: %(what)s", place=error.place or "YAML", what=error.problem)
            form.add_errors(InvalidInputError(problem, {"file" if file else "text": problem}))
        except InvalidInputError as error:
            form.add_errors(error)
    return render_template("checklists/import.html", form=form), 400


@api.permission(DEFINE)
def begin(checklist_id: str) -> ResponseReturnValue:
    """Start a draft from the newest version."""
    with api.work(PLUGIN) as work:
        draft_editing.start_draft(work, library.get_newest(work.session, checklist_id))
    return redirect(url_for("checklists.edit", checklist_id=checklist_id), 303)


@api.permission(DEFINE)
def show(checklist_id: str) -> ResponseReturnValue:
    """The draft as a whole."""
    with api.work(PLUGIN) as work:
        draft = draft_editing.get_draft(work.session, checklist_id)
        return render_template(
            "checklists/edit.html", draft=draft, problem=draft_editing.find_problem(draft.data)
        )


@api.permission(DEFINE)
def arrange(checklist_id: str) -> ResponseReturnValue:
    """Move a section, a question or a recommendation up or down, or remove it."""
    kind, item_id = request.form.get("kind", ""), request.form.get("item", "")
    action = request.form.get("deed", "")

    def change(data: draft_editing.DefinitionData) -> None:
        if kind == "question":
            items = draft_editing.find_question(data, item_id)[1]["questions"]
        else:
            items = data.setdefault("advice" if kind == "advice" else "sections", [])
        if action == "remove":
            draft_editing.remove_item(items, item_id)
        else:
            draft_editing.move_item(items, item_id, -1 if action == "up" else 1)

    edition = request.form.get("edition", 0, type=int)
    try:
        with api.work(PLUGIN) as work:
            draft_editing.apply_change(work, checklist_id, edition, change)
    except ConflictError as error:
        flash(api.translate(error.safe_text), "error")
    return redirect(url_for("checklists.edit", checklist_id=checklist_id), 303)


@api.permission(DEFINE)
def ask_publish(checklist_id: str) -> ResponseReturnValue:
    """The changes that the new version would make."""
    with api.work(PLUGIN) as work:
        draft = draft_editing.get_draft(work.session, checklist_id)
        problem = draft_editing.find_problem(draft.data)
        versions = library.list_versions(work.session, checklist_id)
        changes = None
        if versions and not problem:
            current = library.get_version(work.session, checklist_id, versions[0])
            changes = list_changes(current, parse_data(draft.data))
        return render_template(
            "checklists/publish.html",
            draft=draft,
            problem=problem,
            changes=changes,
            versions=versions,
        )


@api.permission(DEFINE)
def publish(checklist_id: str) -> ResponseReturnValue:
    try:
        with api.work(PLUGIN) as work:
            published = draft_editing.publish_draft(work, checklist_id)
    except InvalidInputError as error:
        flash(api.translate(error.safe_text), "error")
        return redirect(url_for("checklists.ask_publish", checklist_id=checklist_id), 303)
    flash(_("Version %(number)s has been published.", number=published.version), "success")
    return redirect(url_for("checklists.about", checklist_id=checklist_id), 303)


@api.permission(DEFINE)
def discard(checklist_id: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        draft_editing.discard_draft(work, checklist_id)
    flash(_("The draft has been deleted."), "success")
    return redirect(url_for("checklists.index"), 303)
