"""Keeps the search index up to date by working through reindex requests in batches.

Documents are built outside a write transaction, since that takes time. The write transaction holds
the index lock and skips projects that have changed since they were read: those changes have left
requests of their own.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import String, cast, delete, func, insert, select
from sqlalchemy.orm import Session, selectinload

from node.events import TransactionEnding
from node.principal import Principal
from node.projects.models import Project, ProjectState, ReindexRequest
from node.projects.plugin_data import to_project_info
from node.projects.reindex_queue import JOB, QUEUED_PROJECTS_KEY
from node.projects.service import eager_load_councils
from node.queue import batched_writes
from node.queue.error_isolation import JobFailure, JobItems
from node.runtime import Node, UnitOfWork
from node.search import text_analysis
from node.search.fulltext import OUTPUTS, PROJECTS, FullTextTable, IndexDocument
from node.search.index_documents import output_document, plugin_label, project_document
from node.search.models import OutputIndexEntry, ProjectIndexEntry

log = structlog.get_logger(__name__)

INDEXER = "search"
# A transaction that changes at most this many projects indexes them itself.
MAX_INLINE = 20
BATCH_SIZE = 200
# The job starts this long after a request, so that later ones join its batch. Changes that are
# indexed in their own transaction do not wait.
COALESCE_SECONDS = 1.0
# Pause after each batch, as a multiple of the time it took: leaves the processor to other threads.
PAUSE_FACTOR = 1.0
MAX_LEN_TITLE = 100
# Key of the PostgreSQL advisory lock that writers of the index hold.
ADVISORY_LOCK_ID = 7_365_617
# An entry's id is a time in milliseconds, followed by this many bits for a sequence number.
SEQUENCE_BITS = 20
MAX_MILLISECONDS = (1 << (63 - SEQUENCE_BITS)) - 1
# Columns that show whether a project has changed since it was read.
STATE_COLUMNS = (
    Project.id,
    Project.state,
    Project.revision,
    Project.visibility,
    Project.is_hidden,
    Project.changed_at,
)


@dataclass
class _IndexedProject:
    """One project as it was read: its `STATE_COLUMNS`, and the entries to write for it."""

    state: Any
    document: IndexDocument
    row: dict[str, Any]
    outputs: list[tuple[dict[str, Any], IndexDocument]] = field(default_factory=list)


def run_job(node: Node, pause_factor: float = PAUSE_FACTOR) -> None:
    """Job: work through all reindex requests, newest first. A process that does nothing else may
    set `pause_factor` to 0.
    """
    run = JobItems[int](node, JOB)
    while not node.jobs.stopping.is_set():
        started_at = time.monotonic()
        if not _index_batch(node, run):
            return
        node.jobs.stopping.wait((time.monotonic() - started_at) * pause_factor)


def index_in_transaction(work: UnitOfWork, _event: TransactionEnding) -> None:
    """Index the projects changed in this transaction before it commits, so that an officer finds
    a project in the list as soon as it is published.

    If there are too many, or the index lock is taken, or indexing fails, the reindex requests
    remain for the job.
    """
    session = work.session
    session.flush()
    ids = sorted(session.info.pop(QUEUED_PROJECTS_KEY, ()))
    if not 0 < len(ids) <= MAX_INLINE:
        return
    # Do not wait for the lock: the job that holds it may be waiting for a row locked here.
    if _is_postgresql(session) and not session.scalar(
        select(func.pg_try_advisory_xact_lock(ADVISORY_LOCK_ID))
    ):
        return
    try:
        with session.begin_nested():
            _store_entries(session, ids, list(_read_projects(work, ids)))
            session.execute(delete(ReindexRequest).where(ReindexRequest.project_id.in_(ids)))
    except Exception:
        log.exception("inline indexing failed")


def rebuild(work: UnitOfWork) -> int:
    """Start rebuilding the whole index; the present one stays in use meanwhile. Returns the number
    of projects.
    """
    for model, fulltext in ((ProjectIndexEntry, PROJECTS), (OutputIndexEntry, OUTPUTS)):
        fulltext.delete_orphans(work.session.connection(), model)
    batched_writes.start(work, REBUILD_INDEX)
    return work.session.scalar(select(func.count(Project.id))) or 0


def _enqueue_batch(work: UnitOfWork, row: batched_writes.BatchedWrite) -> bool:
    """Request reindexing of the next projects. The newest come last, and so are indexed first."""
    next_ids = select(Project.id).where(Project.id > row.position).order_by(Project.id)
    ids = work.session.scalars(next_ids.limit(batched_writes.BATCH_SIZE)).all()
    if ids:
        work.session.execute(
            insert(ReindexRequest), [{"project_id": project_id} for project_id in ids]
        )
        row.position = ids[-1]
    work.wake(JOB)
    return len(ids) == batched_writes.BATCH_SIZE


REBUILD_INDEX = batched_writes.BatchedWriteKind("rebuild-index", _enqueue_batch)


def count_waiting(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(ReindexRequest)) or 0


def is_behind(session: Session) -> bool:
    """Whether any project waits to be indexed, not counting those that failed."""
    failed = select(JobFailure.item).where(JobFailure.job == JOB)
    behind = select(ReindexRequest.id).where(cast(ReindexRequest.project_id, String).not_in(failed))
    return session.scalar(behind.limit(1)) is not None


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def entry_id_at(moment: datetime) -> int:
    """The smallest id of entries changed at `moment` or later."""
    milliseconds = int(moment.astimezone(UTC).timestamp() * 1000)
    return min(max(0, milliseconds), MAX_MILLISECONDS) << SEQUENCE_BITS


def _index_batch(node: Node, run: JobItems[int]) -> bool:
    """Index the projects of the newest reindex requests. Returns whether there may be more."""
    failed = ReindexRequest.project_id.in_([int(item) for item in run.postponed_names])
    with node.reading() as session:
        newest = (
            select(ReindexRequest.id, ReindexRequest.project_id)
            .where(~failed)
            .order_by(ReindexRequest.id.desc())
        )
        requests = session.execute(newest.limit(BATCH_SIZE)).all()
    request_ids: dict[int, list[int]] = defaultdict(list)
    for request in requests:
        request_ids[request.project_id].append(request.id)
    run.attempt_all(sorted(request_ids), partial(_index_projects, node, request_ids))
    return len(requests) == BATCH_SIZE


def _index_projects(
    node: Node, request_ids: Mapping[int, Sequence[int]], ids: Sequence[int]
) -> None:
    """Index these projects and delete their reindex requests, given as `request_ids`."""
    with node.reading() as session:
        indexed = list(_read_projects(UnitOfWork(node, session, Principal.job(INDEXER)), ids))
    with node.work(by=Principal.job(INDEXER)) as work:
        if _is_postgresql(work.session):
            work.session.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK_ID)))
        _store_entries(work.session, ids, indexed)
        done = [request_id for project_id in ids for request_id in request_ids[project_id]]
        work.session.execute(delete(ReindexRequest).where(ReindexRequest.id.in_(done)))


def _read_projects(work: UnitOfWork, ids: Sequence[int]) -> Iterator[_IndexedProject]:
    session = work.session
    is_shown = Project.state == ProjectState.published, Project.is_hidden.is_(False)
    states = {
        row.id: row for row in session.execute(select(*STATE_COLUMNS).where(Project.id.in_(ids)))
    }
    query = eager_load_councils(select(Project).where(Project.id.in_(ids), *is_shown))
    query = query.options(selectinload(Project.adoptions))
    projects = session.scalars(query).all()
    plugin_labels = _plugin_labels(work, projects)
    for project in projects:
        details = project.details
        row = {
            "project_id": project.id,
            "title": text_analysis.fold(project.title)[:MAX_LEN_TITLE],
            "starts_on": details.starts_on,
            "ends_on": details.ends_on,
            "contract_ends_on": details.contract_ends_on,
        }
        outputs = [
            (
                {
                    "project_id": project.id,
                    "token": output.token,
                    "title": text_analysis.fold(output.title)[:MAX_LEN_TITLE],
                    "adopters": len(output.adopters),
                },
                output_document(project, output),
            )
            for output in project.outputs
        ]
        document = project_document(project, plugin_labels.get(project.uri, ()))
        yield _IndexedProject(states[project.id], document, row, outputs)


def _plugin_labels(work: UnitOfWork, projects: Sequence[Project]) -> Mapping[str, set[str]]:
    """The labels of the projects' plugin facet values, by project URI. Values that the plugin has
    not declared are dropped.
    """
    hooks = work.node.hooks
    labels: dict[str, set[str]] = defaultdict(set)
    if not hooks.facets or not projects:
        return labels
    choices = {(plugin, facet.name): facet.choices for plugin, facet in hooks.facets}
    views = [to_project_info(project) for project in projects]
    for plugin, answer in hooks.call(work, "facet_values", projects=views):
        for uri, values_by_facet in answer.items():
            labels[uri] |= {
                plugin_label(f"{plugin}.{name}", value)
                for name, values in values_by_facet.items()
                for value in values
                if value in choices.get((plugin, name), ())
            }
    return labels


def _store_entries(
    session: Session, ids: Sequence[int], indexed: Sequence[_IndexedProject]
) -> None:
    """Replace the entries of these projects. Projects that have changed since they were read keep
    their present entries.
    """
    current_states = {
        tuple(row) for row in session.execute(select(*STATE_COLUMNS).where(Project.id.in_(ids)))
    }
    unchanged = [project for project in indexed if tuple(project.state) in current_states]
    changed_ids = {project.state.id for project in indexed} - {
        project.state.id for project in unchanged
    }
    replaced_ids = [project_id for project_id in ids if project_id not in changed_ids]
    entries = [(project.state.changed_at, project.row, project.document) for project in unchanged]
    _replace_entries(session, ProjectIndexEntry, PROJECTS, replaced_ids, entries)
    outputs = [
        (project.state.changed_at, *output) for project in unchanged for output in project.outputs
    ]
    _replace_entries(session, OutputIndexEntry, OUTPUTS, replaced_ids, outputs)


def _replace_entries(
    session: Session,
    model: type[ProjectIndexEntry] | type[OutputIndexEntry],
    fulltext: FullTextTable,
    project_ids: Sequence[int],
    entries: Sequence[tuple[datetime, dict[str, Any], IndexDocument]],
) -> None:
    connection = session.connection()
    is_replaced = model.project_id.in_(project_ids)
    old_ids = list(session.scalars(select(model.id).where(is_replaced)))
    fulltext.delete(connection, old_ids)
    session.execute(delete(model).where(is_replaced))
    changes = [changed_at for changed_at, _row, _document in entries]
    ids = _allocate_ids(session, model, changes, old_ids)
    rows = [row | {"id": key} for key, (_time, row, _doc) in zip(ids, entries, strict=True)]
    if rows:
        session.execute(insert(model), rows)
    documents = {key: doc for key, (_time, _row, doc) in zip(ids, entries, strict=True)}
    fulltext.insert(connection, documents)


def _allocate_ids(
    session: Session,
    model: type[ProjectIndexEntry] | type[OutputIndexEntry],
    moments: Sequence[datetime],
    freed: Sequence[int],
) -> list[int]:
    """One unused id for each of `moments`, such that ids ascend with time.

    Ids in `freed` are used again where their time fits, so that reindexing the same changes does
    not use up the sequence numbers of a millisecond.
    """
    first_ids = [entry_id_at(moment) for moment in moments]
    taken = set(session.scalars(select(model.id).where(model.id.in_(first_ids))))
    reusable: dict[int, list[int]] = defaultdict(list)
    for key in sorted(freed, reverse=True):
        reusable[key >> SEQUENCE_BITS].append(key)
    ids: list[int] = []
    for key in first_ids:
        milliseconds = key >> SEQUENCE_BITS
        if not reusable[milliseconds]:
            reusable[milliseconds].append(
                key if key not in taken else _next_id(session, model, milliseconds, ids)
            )
        ids.append(reusable[milliseconds].pop())
        taken.add(key)
    return ids


def _next_id(
    session: Session,
    model: type[ProjectIndexEntry] | type[OutputIndexEntry],
    milliseconds: int,
    allocated: Sequence[int],
) -> int:
    """The id after all those of this millisecond, in the table or in `allocated`."""
    first, end = milliseconds << SEQUENCE_BITS, (milliseconds + 1) << SEQUENCE_BITS
    last = select(func.max(model.id)).where(model.id >= first, model.id < end)
    others = (key for key in allocated if key >> SEQUENCE_BITS == milliseconds)
    return max(session.scalar(last) or first, *others, first) + 1
