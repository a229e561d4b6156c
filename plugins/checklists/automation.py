"""What the plugin contributes to jobs, desks, `moothall doctor` and the search."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from node import api
from node.api import DeskStep, PersonView, ProjectView, Work, now
from plugins.checklists import access, actions, library, runs
from plugins.checklists.definitions.data_reader import DefinitionError
from plugins.checklists.definitions.parsing import from_data, read_file
from plugins.checklists.definitions.shipped import FOLDER, load_shipped
from plugins.checklists.federate import RESULT_TYPE
from plugins.checklists.models import FINISHED, OPEN, PROJECT, ChecklistVersion, Run

DUE_NOTIFICATION = "checklists.due"
FACET_NAME = "checklist"
SHARED_VALUE, FINISHED_VALUE, OPEN_VALUE = "shared", "finished", "open"
DAYS_BEFORE_SETTING = "days_before_due"
# Open actions and unfinished runs on a desk, each.
MAX_STEPS = 10


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


def desk_steps(person: PersonView, work: Work) -> list[DeskStep]:
    """The person's open actions, and the runs that they began and have not finished."""
    steps = []
    for action in actions.list_open(work.session, person.id)[:MAX_STEPS]:
        subject = access.get_visible(work, action.run)
        checklist = runs.get_definition(work.session, action.run)
        question = checklist.by_id.get(action.answer.question)
        if subject and question:
            title = action.answer.plan or question.text.in_language(api.language())
            path = f"/checklists/runs/{action.run.token}/questions/{question.id}/action"
            steps.append(DeskStep(title[:200], _l("View action"), path, about=subject.title))
    query = select(Run).where(Run.began_by == person.email, Run.state == OPEN, Run.is_latest)
    for run in work.session.scalars(query.order_by(Run.changed_at).limit(MAX_STEPS)):
        subject = access.get_visible(work, run)
        if subject:
            title = runs.get_definition(work.session, run).title.in_language(api.language())
            path = f"/checklists/runs/{run.token}"
            steps.append(DeskStep(title, _l("Continue assessment"), path, about=subject.title))
    return steps


def facet_values(
    projects: Sequence[ProjectView], work: Work
) -> Mapping[str, Mapping[str, Collection[str]]]:
    """The facet values of projects with a finished or shared run."""
    uris = [project.uri for project in projects]
    query = select(Run.about, Run.document_id).where(
        Run.scope == PROJECT, Run.about.in_(uris), Run.state == FINISHED
    )
    finished_runs = work.session.execute(query).all()
    finished = {row.about for row in finished_runs}
    shared = {row.about for row in finished_runs if row.document_id} | api.documented(
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


def find_unreadable(work: Work) -> str:
    """The check for `moothall doctor`: errors in stored and shipped checklists."""
    problems = []
    for path in sorted(FOLDER.glob("*.yaml")):
        try:
            read_file(path)
        except DefinitionError as error:
            problems.append(str(error))
    for row in work.session.scalars(select(ChecklistVersion).order_by(ChecklistVersion.id)):
        try:
            from_data(row.data)
        except DefinitionError as error:
            problems.append(f"{row.checklist} {row.number}, {error}")
    return "; ".join(problems)


def find_unworded(work: Work) -> str:
    """The check for `moothall doctor`: placeholders in checklists that were published here. Those
    of shipped checklists are marked on their pages.
    """
    unworded = [
        f"{checklist.id}: {', '.join(places)}"
        for checklist in library.list_current(work.session).values()
        if checklist != load_shipped().get(checklist.id) and (places := checklist.placeholders())
    ]
    return "; ".join(unworded)
