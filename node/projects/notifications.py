"""Notifications about projects, local and remote."""

from collections.abc import Mapping, Sequence

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from node.database.tables import now
from node.notification_events.service import is_recent, record_events
from node.notification_kinds import NotificationKind, Topic
from node.projects.federate import RemoteProject
from node.projects.models import Phase, Project, ProjectState
from node.projects.remote_precedence import effective_changed_at
from node.runtime import UnitOfWork

PUBLISHED = NotificationKind(
    "project.published",
    Topic.projects,
    _l("%(council)s published %(project)s"),
    notifies_followers=True,
)
PHASE_CHANGED = NotificationKind(
    "project.phase",
    Topic.projects,
    _l("%(project)s has moved to a new phase: %(phase)s"),
    notifies_followers=True,
    notifies_owner=True,
)
# Without the title, which is erased with the project.
DELETED = NotificationKind(
    "project.deleted",
    Topic.projects,
    _l("%(council)s deleted a project you followed"),
    notifies_followers=True,
)
KINDS = (PUBLISHED, PHASE_CHANGED, DELETED)


def notify_received(
    work: UnitOfWork, remote_projects: Sequence[RemoteProject], before: Mapping[str, Phase]
) -> None:
    """Record events for projects that were received from another council.

    `before` holds the previous phase, by id, of those that were published here already.
    """
    new_projects = {
        remote.uri: published_at
        for remote in remote_projects
        if remote.uri not in before
        and is_recent(
            published_at := min(remote.published_at or effective_changed_at(remote), now())
        )
    }
    with_new_phase = {
        remote.uri: remote
        for remote in remote_projects
        if remote.phase != before.get(remote.uri, remote.phase)
    }
    if not new_projects and not with_new_phase:
        return
    # Filters by id alone: with the state SQLite would pick another index and scan every project.
    condition = Project.uri.in_([*new_projects, *with_new_phase])
    rows = work.session.execute(select(Project.uri, Project.id, Project.state).where(condition))
    ids = {row.uri: row.id for row in rows if row.state is ProjectState.published}
    published_events = [
        {"project_id": ids[uri], "at": published_at}
        for uri, published_at in new_projects.items()
        if uri in ids
    ]
    phase_events = [
        {
            "project_id": ids[uri],
            "at": effective_changed_at(remote),
            "details": {"phase": Phase(remote.phase).value},
        }
        for uri, remote in with_new_phase.items()
        if uri in ids
    ]
    record_events(work, PUBLISHED, published_events)
    record_events(work, PHASE_CHANGED, phase_events)
