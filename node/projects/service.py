"""Creates, changes, publishes and deletes local projects, and queries local and remote ones."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Select,
    func,
    select,
)
from sqlalchemy.orm import Session, selectinload

from node.access.viewer import ANONYMOUS, LOCAL_USER, Viewer
from node.access.visibility import Visibility
from node.councils.models import Council
from node.database.tables import now
from node.errors import ConflictError, ForbiddenError, GoneError, NotFoundError
from node.federating.identity import local_uris
from node.messages import msg
from node.notification_events.service import record_event
from node.pagination import Page, page_by_key, page_by_number
from node.people import service as people
from node.projects import federation_events, notifications, relations, review_dates, versions
from node.projects.events import ProjectDeleted, ProjectPublished, ProjectUpdated
from node.projects.models import (
    STATE_TRANSITIONS,
    Phase,
    Project,
    ProjectState,
    new_revision,
    new_token,
)
from node.projects.plugin_data import to_project_info
from node.projects.rendering import RenderedProject, render
from node.projects.validation import ProjectInput, validate
from node.projects.visibility import (
    is_draft,
    is_fetchable_by,
    is_listed_for,
    is_visible_to,
    was_visible_to,
)
from node.runtime import UnitOfWork
from node.settings import Settings

PAGE_SIZE = 20
# Local projects offered in a select, the last changed first.
MAX_OWN_PROJECTS = 500


def create(
    work: UnitOfWork,
    council: Council,
    project_input: ProjectInput,
    token: str = "",
    rendered: RenderedProject | None = None,
) -> Project:
    """Create a draft of our own council, which only our council can see.

    `token` identifies it, or a new one if empty. `rendered` is the HTML of `text` if the caller
    rendered it before the transaction began.
    """
    project_input = relations.resolve_relations(work, validate(project_input))
    token = token or new_token()
    uri = local_uris.project(work.settings, token)
    project = Project(token=token, uri=uri, url=uri, council=council, state=ProjectState.draft)
    project.owner = people.acting_user(work)
    _apply_input(project, project_input, rendered)
    work.session.add(project)
    work.session.flush()
    relations.save_relations(work, {uri: project_input.details.related})
    versions.record(work, project, "created")
    work.audit("project.create", uri, title=project_input.title)
    return project


def can_publish_without_review(settings: Settings) -> bool:
    """Whether the author of a draft may publish it without review."""
    return settings.review_before_publishing == "off"


def publish(work: UnitOfWork, project: Project, *, is_reviewed: bool = False) -> None:
    """Publish a draft and federate it. `is_reviewed`: someone else has reviewed it."""
    if not is_reviewed and not can_publish_without_review(work.settings):
        raise ConflictError(msg("Someone else must review this project before it is published."))
    change_state(project, ProjectState.published)
    project.revision = new_revision()
    project.published_at = project.changed_at = now()
    _require_own(project)
    review_dates.confirm(work.settings, project)
    federation_events.publish_change(work, project, Visibility.private)
    work.emit(ProjectPublished(project.id, Visibility.private))
    record_event(work, notifications.PUBLISHED, project_id=project.id)
    versions.record(work, project, "published")
    work.audit(
        "project.publish", project.uri, title=project.title, visibility=project.visibility.value
    )


def update(
    work: UnitOfWork,
    project: Project,
    project_input: ProjectInput,
    version: int,
    *,
    confirms: bool = True,
    action: str = "changed",
    rendered: RenderedProject | None = None,
) -> None:
    """Change the text and the visibility of a project.

    `version` is the one that the edit is based on. `confirms`: the editor has reviewed the whole
    project, which makes it fresh. `action` names the change in the history. `rendered` is as in
    `create`.

    Raises `ConflictError` if someone else changed the project meanwhile.
    """
    project_input = relations.resolve_relations(work, validate(project_input), project)
    if project.state is ProjectState.deleted:
        raise GoneError(msg("This project has been deleted."))
    _require_own(project)
    if project.version != version:
        raise ConflictError(msg("Someone else changed this project while you were writing."))
    versions.record_baseline(work, project)
    old_visibility, old_phase = project.visibility, project.phase
    _apply_input(project, project_input, rendered)
    project.version += 1
    project.changed_at = now()
    relations.save_relations(work, {project.uri: project_input.details.related})
    if project.state is ProjectState.published:
        if confirms or project.phase is not old_phase:
            review_dates.confirm(work.settings, project)
        federation_events.publish_change(work, project, old_visibility)
        work.emit(ProjectUpdated(project.id, old_visibility))
        if project.phase is not old_phase:
            record_event(
                work, notifications.PHASE_CHANGED, project_id=project.id, phase=project.phase.value
            )
    versions.record(work, project, action)
    visibility = (
        {"visibility": project_input.visibility} if old_visibility != project.visibility else {}
    )
    work.audit(
        "project.update",
        project.uri,
        title=project_input.title,
        version=project.version,
        **visibility,
    )


def delete(work: UnitOfWork, project: Project) -> None:
    """Delete a project and ask other servers to delete it. Its row remains, without text."""
    was_published = project.state is ProjectState.published
    change_state(project, ProjectState.deleted)
    project.revision = new_revision()
    project.deleted_at = project.changed_at = now()
    work.node.hooks.project_deleted(work, to_project_info(project))
    title = project.title
    project.erase()
    versions.delete_all(work.session, project)
    _require_own(project)
    if was_published:
        federation_events.publish_deletion(work, project)
        work.emit(ProjectDeleted(project.id, project.visibility))
        record_event(work, notifications.DELETED, project_id=project.id)
    work.audit("project.delete", project.uri, title=title)


def by_token(
    session: Session, token: str, viewer: Viewer = ANONYMOUS, *, include_drafts: bool = False
) -> Project:
    """The project, if `viewer` may see it. `include_drafts`: also a draft, for a viewer who may see
    drafts.

    Raises `GoneError` for a deleted project that the viewer could see, `NotFoundError` if there is
    none.
    """
    was_visible = was_visible_to(viewer, include_drafts=include_drafts)
    project = session.scalar(select(Project).where(Project.token == token, was_visible))
    if project is None:
        raise NotFoundError(msg("Project not found."))
    if project.state is ProjectState.deleted:
        raise GoneError(msg("This project has been deleted."))
    return project


def by_uri(session: Session, uri: str, viewer: Viewer | None) -> Project | None:
    """The published project with this id, if `viewer` may see it; None: if anyone here may."""
    readable = is_visible_to(viewer or LOCAL_USER)
    return session.scalar(select(Project).where(Project.uri == uri, readable))


def list_own_titles(session: Session) -> list[tuple[str, str]]:
    """Token and title of at most `MAX_OWN_PROJECTS` local projects, the last changed first."""
    conditions = (
        Council.slug.is_not(None),
        Project.state.in_([ProjectState.draft, ProjectState.published]),
    )
    query = select(Project.token, Project.title).join(Project.council).where(*conditions)
    rows = session.execute(query.order_by(Project.changed_at.desc()).limit(MAX_OWN_PROJECTS))
    return [(row.token, row.title) for row in rows]


def get_deleted(session: Session, token: str) -> Project:
    """The row of a deleted project."""
    return session.scalars(
        select(Project).where(Project.token == token, Project.state == ProjectState.deleted)
    ).one()


def get_for_update(session: Session, token: str) -> Project:
    """A local project, locked until the end of the unit of work so that changes cannot overlap."""
    project = session.scalar(
        select(Project).where(Project.token == token).with_for_update(of=Project)
    )
    if project is None:
        raise NotFoundError(msg("Project not found."))
    if project.state is ProjectState.deleted:
        raise GoneError(msg("This project has been deleted."))
    if not project.is_local:
        raise ForbiddenError(msg("Only the council that published this project can change it."))
    return project


def change_state(project: Project, state: ProjectState) -> None:
    """Raises `ConflictError` for a change that `STATE_TRANSITIONS` does not allow."""
    if state not in STATE_TRANSITIONS[project.state]:
        raise ConflictError(
            msg("You can no longer do this because the status of the project has changed.")
        )
    project.state = state


@dataclass(frozen=True)
class ProjectFilter:
    """Which projects to list, for whom; `condition` is a further SQL condition.

    Archived projects are left out unless `include_archived`. `drafts_only` lists only those not
    published yet.
    """

    viewer: Viewer = ANONYMOUS
    council_id: int | None = None
    drafts_only: bool = False
    include_archived: bool = False
    condition: ColumnElement[bool] | None = None


def list_page(session: Session, criteria: ProjectFilter, number: int = 1) -> Page[Project]:
    """A page of the projects that match `criteria`, the last changed first."""
    return page_by_number(session, _apply_filter(criteria), number, PAGE_SIZE)


def list_newest(session: Session, criteria: ProjectFilter, limit: int) -> list[Project]:
    """At most `limit` projects that match `criteria`, the last changed first."""
    return list(session.scalars(_apply_filter(criteria).limit(limit)))


def list_after(
    session: Session,
    criteria: ProjectFilter,
    after_id: int,
    limit: int,
    since: datetime | None = None,
) -> Page[Project]:
    """The next projects that match `criteria` by row id; with `since`, those changed since then."""
    query = _apply_filter(criteria)
    if since is not None:
        query = query.where(Project.changed_at >= since)
    return page_by_key(session, query, Project.id, after_id, limit)


def count_documents(session: Session, council: Council, viewer: Viewer) -> int:
    """The number of projects of a council with a document that `viewer` may read."""
    return (
        session.scalar(
            select_with_readable_document(council, viewer).with_only_columns(func.count())
        )
        or 0
    )


def documents_after(
    session: Session, council: Council, viewer: Viewer, after_id: int, limit: int
) -> list[Project]:
    """The next projects of a council with a document that `viewer` may read, by row id."""
    query = select_with_readable_document(council, viewer).where(Project.id > after_id)
    return list(session.scalars(query.order_by(Project.id).limit(limit)))


def select_with_readable_document(council: Council, viewer: Viewer) -> Select[Project]:
    """The projects of a council with a document that `viewer` may read."""
    return select(Project).where(Project.council_id == council.id, is_fetchable_by(viewer))


def eager_load_councils(query: Select[Project]) -> Select[Project]:
    """`query` with the councils of all its projects loaded at once rather than one by one."""
    return query.options(selectinload(Project.council).selectinload(Council.actor))


def _apply_filter(criteria: ProjectFilter) -> Select[Project]:
    query = eager_load_councils(select(Project)).order_by(Project.changed_at.desc(), Project.id)
    if criteria.drafts_only:
        query = query.where(is_draft(), is_visible_to(criteria.viewer, include_drafts=True))
    else:
        include_archived = criteria.include_archived
        query = query.where(is_listed_for(criteria.viewer, include_archived=include_archived))
    if criteria.council_id:
        query = query.where(Project.council_id == criteria.council_id)
    if criteria.condition is not None:
        query = query.where(criteria.condition)
    return query


def _apply_input(
    project: Project, project_input: ProjectInput, rendered: RenderedProject | None = None
) -> None:
    html = rendered or render(project_input)
    project.title, project.summary, project.phase = (
        project_input.title,
        project_input.summary,
        Phase(project_input.phase),
    )
    project.brief, project.details = project_input.brief, project_input.details
    project.content, project.translations = html.content, html.translations
    project.visibility, project.language = (
        Visibility(project_input.visibility),
        project_input.language,
    )
    project.revision = new_revision()


def _require_own(project: Project) -> None:
    """Raises `ForbiddenError` for another council's project."""
    if not project.is_local:
        raise ForbiddenError(msg("Only the council that published this project can change it."))
