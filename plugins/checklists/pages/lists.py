"""The checklists that there are, and one of them: what it asks, and what it is answered about."""

from itertools import pairwise

from flask import render_template, request
from flask.typing import ResponseReturnValue

from node import api
from plugins.checklists import access, actions, draft_editing, library, runs
from plugins.checklists.access import PLUGIN
from plugins.checklists.definitions.changes import list_changes
from plugins.checklists.definitions.serialising import to_yaml


@api.permission(api.PUBLIC)
def index() -> ResponseReturnValue:
    """Every checklist, with where it comes from."""
    with api.work(PLUGIN) as work:
        drafts = (
            draft_editing.list_drafts(work.session) if api.has_permission(access.DEFINE) else ()
        )
        return render_template(
            "checklists/index.html",
            checklists=list(library.list_current(work.session).values()),
            drafts=drafts,
            to_do=len(actions.list_open(work.session)) if api.has_permission(access.ANSWER) else 0,
        )


@api.permission(api.PUBLIC)
def about(checklist_id: str) -> ResponseReturnValue:
    """What a checklist asks, and the runs of it that whoever asks may see."""
    with api.work(PLUGIN) as work:
        checklist = library.get_newest(work.session, checklist_id)
        subjects = [
            subject
            for run in runs.list_newest(work.session, checklist_id)
            if (subject := access.get_visible(work, run))
        ]
        found = [(subject, runs.get_progress(work.session, subject.run)) for subject in subjects]
        return render_template(
            "checklists/about.html",
            checklist=checklist,
            versions=library.list_versions(work.session, checklist_id),
            runs=found,
            has_draft=draft_editing.has_draft(work.session, checklist_id),
        )


@api.permission(api.PUBLIC)
def export(checklist_id: str) -> ResponseReturnValue:
    """A checklist as a file, in the version that is asked for."""
    with api.work(PLUGIN) as work:
        number = request.args.get("version", type=int)
        checklist = (
            library.get_version(work.session, checklist_id, number)
            if number
            else library.get_newest(work.session, checklist_id)
        )
    name = f"{checklist.id}-{checklist.version}.yaml"
    return (
        to_yaml(checklist),
        {
            "Content-Type": "application/yaml; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}"',
        },
    )


@api.permission(api.PUBLIC)
def versions(checklist_id: str) -> ResponseReturnValue:
    """What each version changed."""
    with api.work(PLUGIN) as work:
        numbers = library.list_versions(work.session, checklist_id)[:20]
        every = [library.get_version(work.session, checklist_id, number) for number in numbers]
        newest = library.get_newest(work.session, checklist_id)
        steps = [(later, list_changes(earlier, later)) for later, earlier in pairwise(every)]
        return render_template(
            "checklists/versions.html", checklist=newest, steps=steps, first=every[-1]
        )


@api.permission(access.ANSWER)
def to_do() -> ResponseReturnValue:
    """Everything that a "no" or "partly" asks to be done, or one's own of it."""
    with api.work(PLUGIN) as work:
        person = api.person()
        mine = request.args.get("whose") == "mine" and person is not None
        found = actions.list_open(work.session, person.id if mine and person else None)
        rows = []
        for action in found:
            subject = access.get_visible(work, action.run)
            checklist = runs.get_definition(work.session, action.run)
            question = checklist.by_id.get(action.answer.question)
            if subject and question:
                owner = api.person_by_id(work, action.answer.owner_id or 0)
                rows.append((action, subject, checklist, question, owner))
        return render_template("checklists/actions.html", rows=rows, mine=mine)
