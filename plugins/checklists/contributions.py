"""What the plugin contributes to jobs, desks, `moothall doctor` and the search."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from node import api
from node.api import DeskStep, PersonInfo, ProjectInfo, Work, now
from plugins.checklists import access, actions, assessments, library
from plugins.checklists.definitions.data_reader import DefinitionError
from plugins.checklists.definitions.parsing import parse_data, read_file
from plugins.checklists.definitions.shipped import FOLDER, load_shipped
from plugins.checklists.federate import RESULT_TYPE
from plugins.checklists.models import FINISHED, OPEN, PROJECT, Assessment, ChecklistVersion

DUE_NOTIFICATION = "checklists.due"
FACET_NAME = "checklist"
SHARED_VALUE, FINISHED_VALUE, OPEN_VALUE = "shared", "finished", "open"
DAYS_BEFORE_SETTING = "days_before_due"
# Open actions and unfinished runs on a desk, each.
MAX_DESK_STEPS = 10


def remind_owners(work: Work) -> None:
    """Notify the owners of actions that fall due soon, once for each due date."""
    until = now().date() + timedelta(days=int(str(api.setting(work, DAYS_BEFORE_SETTING))))
    owners = set()
    for action in actions.list_due(work.session, until):
        owners.add(action.answer.owner_id)
        action.answer.reminded_of = action.answer.due_on
    for owner_id in owners:
        if owner_id is not None and api.person_by_id(work, owner_id):
            api.notify(work, DUE_NOTIFICATION, to=[owner_id], path="/checklists/actions?whose=mine")


def desk_steps(person: PersonInfo, work: Work) -> list[DeskStep]:
    """The person's open actions, and the runs that they began and have not finished."""
    steps = []
    for action in actions.list_open(work.session, person.id)[:MAX_DESK_STEPS]:
        subject = access.get_visible(work, action.assessment)
        checklist = assessments.get_definition(work.session, action.assessment)
        question = checklist.by_id.get(action.answer.question)
        if subject and question:
            title = action.answer.plan or question.text.in_language(api.language())
            path = f"/checklists/runs/{action.assessment.token}/questions/{question.id}/action"
            steps.append(DeskStep(title[:200], _l("View action"), path, about=subject.title))
    query = select(Assessment).where(
        Assessment.began_by_id == person.id, Assessment.state == OPEN, Assessment.is_latest
    )
    for run in work.session.scalars(query.order_by(Assessment.changed_at).limit(MAX_DESK_STEPS)):
        subject = access.get_visible(work, run)
        if subject:
            title = assessments.get_definition(work.session, run).title.in_language(api.language())
            path = f"/checklists/runs/{run.token}"
            steps.append(DeskStep(title, _l("Continue assessment"), path, about=subject.title))
    return steps


def facet_values(
    projects: Sequence[ProjectInfo], work: Work
) -> Mapping[str, Mapping[str, Collection[str]]]:
    """The facet values of projects with a finished or shared run."""
    uris = [project.uri for project in projects]
    query = select(Assessment.about, Assessment.document_id).where(
        Assessment.scope == PROJECT, Assessment.about.in_(uris), Assessment.state == FINISHED
    )
    finished_runs = work.session.execute(query).all()
    finished = {row.about for row in finished_runs}
    shared = {row.about for row in finished_runs if row.document_id} | api.projects_with_documents(
        work, RESULT_TYPE, uris
    )
    return {
        uri: {
            FACET_NAME: {
                *([FINISHED_VALUE] if uri in finished else ()),
                *([SHARED_VALUE] if uri in shared else ()),
            }
        }
        for uri in finished | shared
    }


def find_invalid_definitions(work: Work) -> str:
    """The check for `moothall doctor`: errors in stored and shipped checklists."""
    problems = []
    for path in sorted(FOLDER.glob("*.yaml")):
        try:
            read_file(path)
        except DefinitionError as error:
            problems.append(str(error))
    for row in work.session.scalars(select(ChecklistVersion).order_by(ChecklistVersion.id)):
        try:
            parse_data(row.data)
        except DefinitionError as error:
            problems.append(f"{row.checklist} {row.number}, {error}")
    return "; ".join(problems)


def find_placeholders(work: Work) -> str:
    """The check for `moothall doctor`: placeholders in checklists that were published here. Those
    of shipped checklists are marked on their pages.
    """
    unworded = [
        f"{checklist.id}: {', '.join(places)}"
        for checklist in library.list_current(work.session).values()
        if checklist != load_shipped().get(checklist.id) and (places := checklist.placeholders())
    ]
    return "; ".join(unworded)
