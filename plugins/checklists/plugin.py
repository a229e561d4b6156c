"""The hooks of the checklists plugin."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import click
from flask import Blueprint
from flask_babel import lazy_gettext as _l

from node import api
from node.api import (
    API_VERSION,
    ActivityInfo,
    Check,
    DemoInfo,
    DeskStep,
    DocumentInfo,
    DocumentType,
    Facet,
    NavigationItem,
    NotificationType,
    Permission,
    PersonInfo,
    PluginDetails,
    ProjectInfo,
    ScheduledJob,
    Section,
    Setting,
    Work,
    hookimpl,
)
from plugins.checklists import (
    access,
    assessments,
    contributions,
    demo_data,
    enquiries,
    federate,
    library,
    sharing,
)
from plugins.checklists.commands import COMMANDS
from plugins.checklists.models import PROJECT, Assessment
from plugins.checklists.pages.blueprint import create_blueprint

PLUGIN_FOLDER = Path(__file__).parent
OFFICER_ROLES = frozenset({"officer", "coordinator", "operator"})
COORDINATOR_ROLES = frozenset({"coordinator", "operator"})


@hookimpl
def plugin_details() -> PluginDetails:
    return PluginDetails(
        name=access.PLUGIN,
        label=_l("Checklists"),
        version="0.2.0",
        api_version=API_VERSION,
        about=_l(
            "Checklists to assess projects, services and the whole council against "
            "good digital practice."
        ),
        migrations=PLUGIN_FOLDER / "migrations",
        translations=PLUGIN_FOLDER / "translations",
    )


@hookimpl
def register_blueprints() -> list[Blueprint]:
    return [create_blueprint()]


@hookimpl
def register_navigation() -> list[NavigationItem]:
    return [NavigationItem(_l("Checklists"), "checklists.index")]


@hookimpl
def register_permissions() -> list[Permission]:
    return [
        Permission(access.ANSWER, _l("Answer checklists"), OFFICER_ROLES),
        Permission(access.DEFINE, _l("Write checklists"), COORDINATOR_ROLES),
        Permission(access.SHARE, _l("Share answers with other councils"), COORDINATOR_ROLES),
    ]


@hookimpl
def project_sections(project: ProjectInfo, work: Work) -> list[Section]:
    """The newest run of each checklist that the viewer can see, and checklists without a run."""
    readable_runs: dict[str, Assessment] = {}
    newest_runs: dict[str, Assessment] = {}
    for run in assessments.list_of_subject(
        work.session, assessments.AssessmentSubject(PROJECT, project.uri, "")
    ):
        newest_runs.setdefault(run.checklist, run)
        if run.checklist not in readable_runs and access.can_read(run):
            readable_runs[run.checklist] = run
    progress_rows = [
        (run, assessments.get_progress(work.session, run)) for run in readable_runs.values()
    ]
    available = []
    if api.has_permission(access.ANSWER):
        checklists = library.list_current(work.session)
        available = [
            checklist
            for checklist_id, checklist in checklists.items()
            if checklist_id not in newest_runs
        ]
    if not progress_rows and not available:
        return []
    context = {"project": project, "rows": progress_rows, "available": available}
    return [Section(_l("Checklists"), "checklists/project.html", context)]


@hookimpl
def project_deleted(project: ProjectInfo, work: Work) -> None:
    for document_id in assessments.delete_of_project(work, project.uri):
        api.withdraw(work, document_id)


@hookimpl
def register_documents() -> list[DocumentType]:
    return [federate.document_type(_l("Checklist answers"))]


@hookimpl
def document_received(document: DocumentInfo, work: Work) -> None:
    """Reindex the project: it may have a shared run now."""
    if document.project_uri:
        api.reindex(work, document.project_uri)


@hookimpl
def document_withdrawn(document: DocumentInfo, work: Work) -> None:
    """Reindex the project: it may no longer have a shared run."""
    sharing.clear_document(work, document.id)
    if document.project_uri:
        api.reindex(work, document.project_uri)


@hookimpl
def register_activities() -> list[str]:
    return [enquiries.ACTIVITY]


@hookimpl
def activity_received(activity: ActivityInfo, work: Work) -> bool:
    return enquiries.receive_enquiry(activity, work)


@hookimpl
def register_facets() -> list[Facet]:
    choices = {
        contributions.FINISHED_VALUE: _l("Finished by our council"),
        contributions.SHARED_VALUE: _l("Shared with other councils"),
    }
    return [Facet(contributions.FACET_NAME, _l("Checklist"), choices)]


@hookimpl
def facet_values(
    projects: Sequence[ProjectInfo], work: Work
) -> Mapping[str, Mapping[str, Collection[str]]]:
    return contributions.facet_values(projects, work)


@hookimpl
def desk_steps(person: PersonInfo, work: Work) -> list[DeskStep]:
    return contributions.desk_steps(person, work)


@hookimpl
def register_settings() -> list[Setting]:
    return [
        Setting(
            contributions.DAYS_BEFORE_SETTING,
            _l("Number of days before the due date to remind the owner of an action"),
            7,
            kind="number",
            maximum=60,
        ),
        Setting(
            sharing.SHARE_SETTING,
            _l("Share every assessment with other councils when it is finished"),
            False,
            kind="yes_no",
            hint=_l("Otherwise, a coordinator chooses which assessments to share"),
        ),
    ]


@hookimpl
def register_commands() -> list[click.Command]:
    return list(COMMANDS)


@hookimpl
def register_jobs() -> list[ScheduledJob]:
    return [ScheduledJob("remind", contributions.remind_owners, interval=timedelta(hours=6))]


@hookimpl
def register_checks() -> list[Check]:
    return [
        Check("Can every checklist be read?", contributions.find_invalid_definitions),
        Check("Is the text of every checklist complete?", contributions.find_placeholders),
    ]


@hookimpl
def register_notifications() -> list[NotificationType]:
    return [
        NotificationType(
            contributions.DUE_NOTIFICATION, _l("You have checklist actions due soon"), "asked"
        ),
        NotificationType(
            enquiries.ENQUIRY_NOTIFICATION,
            _l("%(who)s asked a question about your checklist answers"),
            "asked",
        ),
    ]


@hookimpl
def demo(demo: DemoInfo, work: Work) -> None:
    demo_data.add_demo_data(demo, work)
