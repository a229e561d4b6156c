"""What people here are told of projects, ours and those of others."""

from collections.abc import Mapping, Sequence

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from node.db import now
from node.events.kinds import NotificationKind, Topic
from node.events.service import is_recent, record_events
from node.projects.conflict_rules import effective_changed_at
from node.projects.federate import RemoteProject
from node.projects.models import Phase, Project, ProjectState
from node.runtime import UnitOfWork

PUBLISHED = NotificationKind(
    "project.published",
    Topic.projects,
    _l("%(council)s published %(project)s"),
    for_followers=True,
)
PHASE_CHANGED = NotificationKind(
    "project.phase",
    Topic.projects,
    _l("%(project)s has moved to a new phase: %(phase)s"),
    for_followers=True,
    for_owner=True,
)
# What it was called is forgotten with it.
DELETED = NotificationKind(
    "project.deleted",
    Topic.projects,
    _l("%(council)s deleted a project you followed"),
    for_followers=True,
)
KINDS = (PUBLISHED, PHASE_CHANGED, DELETED)


def record_received(
    work: UnitOfWork, told: Sequence[RemoteProject], before: Mapping[str, Phase]
) -> None:
    """Projects of another council are kept now; `before` are the phases of those shown before."""
    new = {
        one.uri: at
        for one in told
        if one.uri not in before
        and is_recent(at := min(one.published_at or effective_changed_at(one), now()))
    }
    moved = {one.uri: one for one in told if one.phase != before.get(one.uri, one.phase)}
    if not new and not moved:
        return
    # Asked by id alone: SQLite would look for the state, and read the whole council.
    of_these = Project.uri.in_([*new, *moved])
    kept = work.session.execute(select(Project.uri, Project.id, Project.state).where(of_these))
    ids = {row.uri: row.id for row in kept if row.state is ProjectState.published}
    published = [{"project_id": ids[uri], "at": at} for uri, at in new.items() if uri in ids]
    in_new_phase = [
        {
            "project_id": ids[uri],
            "at": effective_changed_at(one),
            "details": {"phase": Phase(one.phase).value},
        }
        for uri, one in moved.items()
        if uri in ids
    ]
    record_events(work, PUBLISHED, published)
    record_events(work, PHASE_CHANGED, in_new_phase)
