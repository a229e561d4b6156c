"""SQL conditions for who sees which projects, by the rule of `node.access.visibility`."""

from dataclasses import replace
from functools import cache

from sqlalchemy import ColumnElement, and_, true

from node.access.viewer import Viewer
from node.access.visibility import Resource, can_fetch, can_read, can_see, resource_rows
from node.councils import visibility as council_visibility
from node.projects import relations
from node.projects.details import Freshness
from node.projects.models import DRAFT_STATES, Project, ProjectState


@cache
def project_rows() -> Resource[ColumnElement[bool]]:
    """The projects of all councils."""
    is_council_shown = council_visibility.is_shown(Project.council_id)
    return resource_rows(
        Project.visibility,
        is_ours=council_visibility.is_own(Project.council_id),
        is_shown=and_(is_council_shown, Project.is_hidden.is_(False)),
        is_published=Project.state == ProjectState.published,
        is_draft=is_draft(),
    )


def is_draft() -> ColumnElement[bool]:
    """Condition: the project is not published yet."""
    return Project.state.in_(DRAFT_STATES)


def is_readable_by(viewer: Viewer) -> ColumnElement[bool]:
    """Condition: `viewer` may read the project, in any state."""
    return can_read(viewer, project_rows())


def is_visible_to(viewer: Viewer, *, include_drafts: bool = False) -> ColumnElement[bool]:
    """Condition: the project is published and `viewer` may see it here. `include_drafts`: or it is
    a draft and `viewer` may see drafts.
    """
    return can_see(viewer, project_rows(), include_drafts=include_drafts)


def was_visible_to(viewer: Viewer, *, include_drafts: bool = False) -> ColumnElement[bool]:
    """As `is_visible_to`, also for deleted projects, as they were before."""
    was_published = Project.published_at.is_not(None)
    rows = replace(project_rows(), is_published=was_published, is_draft=~was_published)
    return can_see(viewer, rows, include_drafts=include_drafts)


def is_listed_for(viewer: Viewer, *, include_archived: bool = False) -> ColumnElement[bool]:
    """Condition: the project is visible to `viewer` and, unless `include_archived`, neither
    archived nor continued by another.
    """
    if include_archived:
        return is_visible_to(viewer)
    is_current = Project.freshness != Freshness.archived, ~relations.has_agreed_successor()
    return and_(is_visible_to(viewer), *is_current)


def is_fetchable_by(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on the projects of our own council: `viewer` may fetch the project's document."""
    return can_fetch(viewer, replace(project_rows(), is_ours=true()))
