"""What people here are told of projects, ours and those of others."""

from collections.abc import Mapping, Sequence

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from node.db import now
from node.news.kinds import Kind, Topic
from node.news.service import tell_all
from node.projects.federate import RemoteProject
from node.projects.models import Phase, Project, State
from node.projects.sifting import changed_at
from node.runtime import UnitOfWork

PUBLISHED = Kind(
    "project.published",
    Topic.projects,
    _l("%(council)s published %(project)s"),
    for_followers=True,
    for_owner=True,
)
PHASE = Kind(
    "project.phase",
    Topic.projects,
    _l("%(project)s is in a new phase: %(phase)s"),
    for_followers=True,
    for_owner=True,
)
# What it was called is forgotten with it.
DELETED = Kind(
    "project.deleted",
    Topic.projects,
    _l("%(council)s deleted a project that you followed"),
    for_followers=True,
)
KINDS = (PUBLISHED, PHASE, DELETED)


def phases(session: Session, told: Sequence[RemoteProject]) -> dict[str, Phase]:
    """The phases, by id, of those of these projects that are shown here so far."""
    of_these = Project.uri.in_([one.uri for one in told]), Project.state == State.published
    return {
        row.uri: row.phase
        for row in session.execute(select(Project.uri, Project.phase).where(*of_these))
    }


def received(work: UnitOfWork, told: Sequence[RemoteProject], before: Mapping[str, Phase]) -> None:
    """Projects of another council are kept now; `before` are the phases they were in."""
    new = {one.uri: one for one in told if one.uri not in before}
    moved = {one.uri: one for one in told if one.phase != before.get(one.uri, one.phase)}
    wanted = Project.uri.in_([*new, *moved]), Project.state == State.published
    kept = (
        work.session.execute(select(Project.uri, Project.id).where(*wanted)) if new or moved else ()
    )
    ids = {row.uri: row.id for row in kept}
    tell_all(
        work,
        PUBLISHED,
        [
            {"project_id": ids[uri], "at": min(one.published_at or changed_at(one), now())}
            for uri, one in new.items()
            if uri in ids
        ],
    )
    tell_all(
        work,
        PHASE,
        [
            {
                "project_id": ids[uri],
                "at": changed_at(one),
                "details": {"phase": Phase(one.phase).value},
            }
            for uri, one in moved.items()
            if uri in ids
        ],
    )
