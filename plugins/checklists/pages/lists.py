"""The lists of checklists and actions, and the page, file and versions of one checklist."""

from itertools import pairwise

from flask import render_template, request
from flask.typing import ResponseReturnValue

from node import api
from plugins.checklists import access, actions, assessments, draft_editing, library
from plugins.checklists.access import PLUGIN
from plugins.checklists.definitions.changes import list_changes
from plugins.checklists.definitions.serialising import to_yaml


@api.permission(api.PUBLIC)
def index() -> ResponseReturnValue:
    """All checklists, and the drafts for those who can edit them."""
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
    """The questions of a checklist, and its runs that the viewer can see."""
    with api.work(PLUGIN) as work:
        checklist = library.get_newest(work.session, checklist_id)
        subjects = [
            subject
            for run in assessments.list_newest(work.session, checklist_id)
            if (subject := access.get_visible(work, run))
        ]
        visible_runs = [
            (subject, assessments.get_progress(work.session, subject.assessment))
            for subject in subjects
        ]
        return render_template(
            "checklists/about.html",
            checklist=checklist,
            versions=library.list_versions(work.session, checklist_id),
            runs=visible_runs,
            has_draft=draft_editing.has_draft(work.session, checklist_id),
        )


@api.permission(api.PUBLIC)
def export(checklist_id: str) -> ResponseReturnValue:
    """A checklist as a YAML file, in the version of the query string or the newest one."""
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
    """The changes that each version made."""
    with api.work(PLUGIN) as work:
        numbers = library.list_versions(work.session, checklist_id)[:20]
        checklists = [library.get_version(work.session, checklist_id, number) for number in numbers]
        newest = library.get_newest(work.session, checklist_id)
        steps = [(later, list_changes(earlier, later)) for later, earlier in pairwise(checklists)]
        return render_template(
            "checklists/versions.html", checklist=newest, steps=steps, first=checklists[-1]
        )


@api.permission(access.ANSWER)
def to_do() -> ResponseReturnValue:
    """All open actions, or with `whose=mine` those of the viewer."""
    with api.work(PLUGIN) as work:
        person = api.person()
        mine = request.args.get("whose") == "mine" and person is not None
        open_actions = actions.list_open(work.session, person.id if mine and person else None)
        rows = []
        for action in open_actions:
            subject = access.get_visible(work, action.assessment)
            checklist = assessments.get_definition(work.session, action.assessment)
            question = checklist.by_id.get(action.answer.question)
            if subject and question:
                owner = api.person_by_id(work, action.answer.owner_id or 0)
                rows.append((action, subject, checklist, question, owner))
        return render_template("checklists/actions.html", rows=rows, mine=mine)
