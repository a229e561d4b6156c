"""Withdraws the documents about a project that fewer people may see."""

from node.access.audiences import Audience
from node.database.tables import now
from node.federating.outbound import outbox
from node.plugin_documents.models import PluginDocument
from node.plugin_documents.service import (
    _erase,
    _select_published,
    _withdraw_from_others,
    notify_plugin_of_removal,
)
from node.projects.models import Project, new_revision
from node.projects.withdrawals import Withdrawal
from node.runtime import UnitOfWork


def withdraw_about(
    work: UnitOfWork, project: Project, audience: Audience | None, after: int, limit: int
) -> int:
    """Narrow the audience of the documents about a project to that of the project.

    `audience` is the remaining audience, None if the project was deleted or became private. Works
    through up to `limit` documents with ids above `after`; returns the last id, or 0 if none are
    left. Other councils' documents are deleted here if no one else can see the project.
    """
    query = _select_published().where(PluginDocument.project_uri == project.uri)
    if after == 0:
        outbox.narrow_audience_of_all(
            work.session, query.with_only_columns(PluginDocument.uri), audience
        )
    next_rows = query.where(PluginDocument.id > after).order_by(PluginDocument.id).limit(limit)
    rows = work.session.scalars(next_rows).all()
    position = rows[-1].id if len(rows) == limit else 0
    for row in rows:
        if audience is None:
            with notify_plugin_of_removal(work, row):
                if row.is_local:
                    _erase(row)
                    _withdraw_from_others(work, row, audience)
                else:
                    work.session.delete(row)
        elif row.is_local and row.visibility != audience:
            row.visibility, row.revision, row.changed_at = audience, new_revision(), now()
            _withdraw_from_others(work, row, audience)
    return position


WITHDRAW_DOCUMENTS = Withdrawal("withdraw-documents", withdraw_about)
