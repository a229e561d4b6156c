"""Keeping the index up to date: what left a mark is read again, a few at a time.

Reading takes its time, and no transaction; writing checks that nothing has changed meanwhile, alone
among all that write to the index. What has changed has left another mark, and comes again.
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

from node import long_writes
from node.error_isolation import JobFailure, JobItems
from node.projects.models import Project, ProjectState, ReindexRequest
from node.projects.plugin_view import to_plugin_view
from node.projects.reindex_queue import JOB, MARKED_KEY
from node.projects.service import load_councils
from node.runtime import Node, UnitOfWork
from node.search import text_analysis
from node.search.fulltext import OUTPUTS, PROJECTS, FullTextTable, IndexDocument
from node.search.index_documents import output_document, plugin_label, project_document
from node.search.models import OutputIndexEntry, ProjectIndexEntry

log = structlog.get_logger(__name__)

INDEXER = "search"
# So many projects of one transaction are indexed in it.
MAX_INLINE = 20
BATCH_SIZE = 200
# Before it reads, the job waits so long for more, but for what is indexed at once.
COALESCE_SECONDS = 1.0
# While more wait, so much of the time is left to whatever else this process does.
REST_FACTOR = 1.0
MAX_LEN_TITLE = 100
# The number of PostgreSQL's lock for whoever writes to the index.
ADVISORY_LOCK_ID = 7_365_617
# An id is the time in milliseconds, and after it so many bits that tell equal times apart.
SEQUENCE_BITS = 20
MAX_MILLISECONDS = (1 << (63 - SEQUENCE_BITS)) - 1
# What an entry was made from.
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
    """One project as it was read: its state, and what the index is to hold of it."""

    state: Any
    document: IndexDocument
    row: dict[str, Any]
    outputs: list[tuple[dict[str, Any], IndexDocument]] = field(default_factory=list)


def run_job(node: Node, rest: float = REST_FACTOR) -> None:
    """Read again what left a mark, the last ones first, until there is none. `rest` is for a
    process that does something else besides.
    """
    run = JobItems[int](node, JOB)
    while not node.jobs.stopping.is_set():
        began = time.monotonic()
        if not _index_batch(node, run):
            return
        node.jobs.stopping.wait((time.monotonic() - began) * rest)


def index_in_transaction(work: UnitOfWork) -> None:
    """Index the few projects that were changed one by one in the transaction that changes them, so
    that whoever published one finds it in the list. Their marks stay if that cannot be done now.
    """
    session = work.session
    session.flush()
    ids = sorted(session.info.pop(MARKED_KEY, ()))
    if not 0 < len(ids) <= MAX_INLINE:
        return
    # The job may wait for a row that is locked here: to wait for the job would never end.
    if _is_postgresql(session) and not session.scalar(
        select(func.pg_try_advisory_xact_lock(ADVISORY_LOCK_ID))
    ):
        return
    try:
        with session.begin_nested():
            _store(session, ids, list(_read_projects(work, ids)))
            session.execute(delete(ReindexRequest).where(ReindexRequest.project_id.in_(ids)))
    except Exception:
        log.exception("not indexed at once")


def rebuild(work: UnitOfWork) -> int:
    """Have all of the index made anew, while what there is goes on answering; of how many projects
    it is.
    """
    for model, texts in ((ProjectIndexEntry, PROJECTS), (OutputIndexEntry, OUTPUTS)):
        texts.delete_orphans(work.session.connection(), model)
    long_writes.begin(work, REBUILD_INDEX)
    return work.session.scalar(select(func.count(Project.id))) or 0


def _enqueue_some(work: UnitOfWork, row: long_writes.LongWrite) -> bool:
    """Mark the next projects. The newest are marked last, and so read first."""
    following = select(Project.id).where(Project.id > row.position).order_by(Project.id)
    ids = work.session.scalars(following.limit(long_writes.BATCH_SIZE)).all()
    if ids:
        work.session.execute(insert(ReindexRequest), [{"project_id": number} for number in ids])
        row.position = ids[-1]
    work.wake(JOB)
    return len(ids) == long_writes.BATCH_SIZE


REBUILD_INDEX = long_writes.LongWriteKind("rebuild-index", _enqueue_some)


def count_waiting(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(ReindexRequest)) or 0


def is_behind(session: Session) -> bool:
    """Whether any project waits to be read again, but for those that cannot be."""
    failed = select(JobFailure.item).where(JobFailure.job == JOB)
    behind = select(ReindexRequest.id).where(cast(ReindexRequest.project_id, String).not_in(failed))
    return session.scalar(behind.limit(1)) is not None


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def entry_id_at(moment: datetime) -> int:
    """The smallest id of what changed then or later."""
    milliseconds = int(moment.astimezone(UTC).timestamp() * 1000)
    return min(max(0, milliseconds), MAX_MILLISECONDS) << SEQUENCE_BITS


def _index_batch(node: Node, run: JobItems[int]) -> bool:
    """Read the projects of the newest marks; whether there are more."""
    failed = ReindexRequest.project_id.in_([int(item) for item in run.postponed])
    with node.reading() as session:
        newest = (
            select(ReindexRequest.id, ReindexRequest.project_id)
            .where(~failed)
            .order_by(ReindexRequest.id.desc())
        )
        marks = session.execute(newest.limit(BATCH_SIZE)).all()
    seen: dict[int, list[int]] = defaultdict(list)
    for mark in marks:
        seen[mark.project_id].append(mark.id)
    run.attempt_all(sorted(seen), partial(_index_projects, node, seen))
    return len(marks) == BATCH_SIZE


def _index_projects(node: Node, seen: Mapping[int, Sequence[int]], ids: Sequence[int]) -> None:
    """Read these projects again; `seen` has the marks of each that go with it."""
    with node.reading() as session:
        read = list(_read_projects(UnitOfWork(node, session, INDEXER), ids))
    with node.work(by=INDEXER) as work:
        if _is_postgresql(work.session):
            work.session.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK_ID)))
        _store(work.session, ids, read)
        done = [mark for project_id in ids for mark in seen[project_id]]
        work.session.execute(delete(ReindexRequest).where(ReindexRequest.id.in_(done)))


def _read_projects(work: UnitOfWork, ids: Sequence[int]) -> Iterator[_IndexedProject]:
    session = work.session
    shown = Project.state == ProjectState.published, Project.is_hidden.is_(False)
    states = {
        row.id: row for row in session.execute(select(*STATE_COLUMNS).where(Project.id.in_(ids)))
    }
    query = load_councils(select(Project).where(Project.id.in_(ids), *shown))
    query = query.options(selectinload(Project.adoptions))
    projects = session.scalars(query).all()
    of_plugins = _plugin_labels(work, projects)
    for project in projects:
        said = project.details
        row = {
            "project_id": project.id,
            "title": text_analysis.fold(project.title)[:MAX_LEN_TITLE],
            "starts_on": said.starts_on,
            "ends_on": said.ends_on,
            "contract_ends_on": said.contract_ends_on,
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
        document = project_document(project, of_plugins.get(project.uri, ()))
        yield _IndexedProject(states[project.id], document, row, outputs)


def _plugin_labels(work: UnitOfWork, projects: Sequence[Project]) -> Mapping[str, set[str]]:
    """The labels by which plugins let projects be found, by the ids of these: of values that they
    declare.
    """
    hooks = work.node.hooks
    labels: dict[str, set[str]] = defaultdict(set)
    if not hooks.facets or not projects:
        return labels
    known = {(plugin, item.name): item.choices for plugin, item in hooks.facets}
    views = [to_plugin_view(project) for project in projects]
    for plugin, answer in hooks.call(work, "facet_values", projects=views):
        for uri, given in answer.items():
            labels[uri] |= {
                plugin_label(f"{plugin}.{name}", value)
                for name, values in given.items()
                for value in values
                if value in known.get((plugin, name), ())
            }
    return labels


def _store(session: Session, ids: Sequence[int], read: Sequence[_IndexedProject]) -> None:
    """Put what was read in place of what the index has of these projects."""
    now = {tuple(row) for row in session.execute(select(*STATE_COLUMNS).where(Project.id.in_(ids)))}
    same = [one for one in read if tuple(one.state) in now]
    changed = {one.state.id for one in read} - {one.state.id for one in same}
    replaced = [number for number in ids if number not in changed]
    entries = [(one.state.changed_at, one.row, one.document) for one in same]
    _replace(session, ProjectIndexEntry, PROJECTS, replaced, entries)
    outputs = [(one.state.changed_at, *output) for one in same for output in one.outputs]
    _replace(session, OutputIndexEntry, OUTPUTS, replaced, outputs)


def _replace(
    session: Session,
    model: type[ProjectIndexEntry] | type[OutputIndexEntry],
    texts: FullTextTable,
    project_ids: Sequence[int],
    new: Sequence[tuple[datetime, dict[str, Any], IndexDocument]],
) -> None:
    connection = session.connection()
    theirs = model.project_id.in_(project_ids)
    old = list(session.scalars(select(model.id).where(theirs)))
    texts.delete(connection, old)
    session.execute(delete(model).where(theirs))
    keys = _allocate_ids(session, model, [moment for moment, _row, _document in new], old)
    rows = [row | {"id": key} for key, (_moment, row, _document) in zip(keys, new, strict=True)]
    if rows:
        session.execute(insert(model), rows)
    texts.insert(connection, {key: one[2] for key, one in zip(keys, new, strict=True)})


def _allocate_ids(
    session: Session,
    model: type[ProjectIndexEntry] | type[OutputIndexEntry],
    moments: Sequence[datetime],
    freed: Sequence[int],
) -> list[int]:
    """Ids that nothing else has, in the order of time. Those that were just `freed` come first:
    what is of one moment does not spread over others, however often it is read.
    """
    wanted = [entry_id_at(moment) for moment in moments]
    taken = set(session.scalars(select(model.id).where(model.id.in_(wanted))))
    spare: dict[int, list[int]] = defaultdict(list)
    for key in sorted(freed, reverse=True):
        spare[key >> SEQUENCE_BITS].append(key)
    found: list[int] = []
    for key in wanted:
        moment = key >> SEQUENCE_BITS
        if not spare[moment]:
            spare[moment].append(
                key if key not in taken else _next_id(session, model, moment, found)
            )
        found.append(spare[moment].pop())
        taken.add(key)
    return found


def _next_id(
    session: Session,
    model: type[ProjectIndexEntry] | type[OutputIndexEntry],
    moment: int,
    given: Sequence[int],
) -> int:
    """The first id of a moment that is larger than all others of it."""
    first, end = moment << SEQUENCE_BITS, (moment + 1) << SEQUENCE_BITS
    last = select(func.max(model.id)).where(model.id >= first, model.id < end)
    others = (key for key in given if key >> SEQUENCE_BITS == moment)
    return max(session.scalar(last) or first, *others, first) + 1
