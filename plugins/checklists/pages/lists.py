"""The checklists that there are, and one of them: what it asks, and what it is answered about."""

from itertools import pairwise

from flask import render_template, request
from flask.typing import ResponseReturnValue

from node import api
from plugins.checklists import access, actions, editing, library, runs
from plugins.checklists.access import PLUGIN
from plugins.checklists.definitions.changes import changes
from plugins.checklists.definitions.writing import to_yaml


@api.permission(api.PUBLIC)
def index() -> ResponseReturnValue:
    """Every checklist, with where it comes from."""
    with api.work(PLUGIN) as work:
        drafts = editing.drafts(work.session) if api.may(access.DEFINE) else ()
        return render_template(
            "checklists/index.html",
            checklists=list(library.current(work.session).values()),
            drafts=drafts,
            to_do=len(actions.to_do(work.session)) if api.may(access.ANSWER) else 0,
        )


@api.permission(api.PUBLIC)
def about(checklist_id: str) -> ResponseReturnValue:
    """What a checklist asks, and the runs of it that whoever asks may see."""
    with api.work(PLUGIN) as work:
        checklist = library.checklist(work.session, checklist_id)
        subjects = [
            subject
            for run in runs.newest(work.session, checklist_id)
            if (subject := access.see(work, run))
        ]
        found = [(subject, runs.progress(work.session, subject.run)) for subject in subjects]
        return render_template(
            "checklists/about.html",
            checklist=checklist,
            versions=library.versions(work.session, checklist_id),
            runs=found,
            has_draft=editing.exists(work.session, checklist_id),
        )


@api.permission(api.PUBLIC)
def export(checklist_id: str) -> ResponseReturnValue:
    """A checklist as a file, in the version that is asked for."""
    with api.work(PLUGIN) as work:
        number = request.args.get("version", type=int)
        checklist = (
            library.version(work.session, checklist_id, number)
            if number
            else library.checklist(work.session, checklist_id)
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
        numbers = library.versions(work.session, checklist_id)[:20]
        every = [library.version(work.session, checklist_id, number) for number in numbers]
        newest = library.checklist(work.session, checklist_id)
        steps = [(later, changes(earlier, later)) for later, earlier in pairwise(every)]
        return render_template(
            "checklists/versions.html", checklist=newest, steps=steps, first=every[-1]
        )


@api.permission(access.ANSWER)
def to_do() -> ResponseReturnValue:
    """Everything that a "no" or "partly" asks to be done, or one's own of it."""
    with api.work(PLUGIN) as work:
        person = api.person()
        mine = request.args.get("whose") == "mine" and person is not None
        found = actions.to_do(work.session, person.id if mine and person else None)
        rows = []
        for action in found:
            subject = access.see(work, action.run)
            checklist = runs.definition(work.session, action.run)
            question = checklist.by_id.get(action.answer.question)
            if subject and question:
                owner = api.person_by_id(work, action.answer.owner_id or 0)
                rows.append((action, subject, checklist, question, owner))
        return render_template("checklists/actions.html", rows=rows, mine=mine)
