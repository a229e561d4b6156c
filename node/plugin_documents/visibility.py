"""SQL conditions for who sees which documents, by the rule of `node.access.visibility`."""

from dataclasses import replace
from functools import cache

from sqlalchemy import ColumnElement, and_, exists, or_, true

from node.access.viewer import LOCAL_USER, Viewer
from node.access.visibility import Resource, can_fetch, can_read, resource_rows
from node.councils import visibility as council_visibility
from node.councils.models import Council
from node.federating.models import Actor
from node.plugin_documents.models import PUBLISHED, PluginDocument
from node.projects.models import Project, ProjectState
from node.projects.visibility import project_rows


def is_visible_to(viewer: Viewer | None) -> ColumnElement[bool]:
    """The SQL condition for documents that `viewer` can see; None sees all that are shown here."""
    return can_read(viewer or LOCAL_USER, _document_rows())


def is_fetchable_by(viewer: Viewer) -> ColumnElement[bool]:
    """The SQL condition for documents of our own council that `viewer` may fetch."""
    return can_fetch(viewer, replace(_document_rows(), is_ours=true()))


@cache
def _document_rows() -> Resource[ColumnElement[bool]]:
    """The documents of all councils. Nobody sees more of them than of their project: the documents
    of a narrowed project follow in batches, and those of a deleted or hidden one are not shown.
    """
    project = project_rows()
    is_gone = exists().where(
        Project.uri == PluginDocument.project_uri,
        or_(Project.state == ProjectState.deleted, Project.is_hidden),
    )
    is_blocked = PluginDocument.council.has(Council.actor.has(Actor.is_blocked))
    is_council_shown = council_visibility.is_shown(PluginDocument.council_id)
    rows = resource_rows(
        PluginDocument.visibility,
        is_ours=council_visibility.is_own(PluginDocument.council_id),
        is_shown=and_(is_council_shown, ~is_gone, ~is_blocked),
        is_published=PluginDocument.state == PUBLISHED,
    )
    return replace(
        rows,
        is_public=and_(rows.is_public, _has_no_project_unless(project.is_public)),
        is_for_peers=and_(rows.is_for_peers, _has_no_project_unless(project.is_for_peers)),
    )


def _has_no_project_unless(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The SQL condition that a document is about no project, or about one with this `condition`."""
    return ~exists().where(Project.uri == PluginDocument.project_uri, ~condition)
