"""The checklists that there are: those that come with the plugin, and what was written here.

A version never changes once it is there. The newest is the one to begin with; older ones stay for
the runs that were answered by them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.api import InvalidInputError, NotFoundError, Work, insert_once, msg
from plugins.checklists.definitions.model import Checklist
from plugins.checklists.definitions.parsing import MAX_VERSION, from_data
from plugins.checklists.definitions.serialising import to_data
from plugins.checklists.definitions.shipped import load_shipped
from plugins.checklists.models import ChecklistVersion

# So many checklists a council may have.
MAX_CHECKLISTS = 200


def list_current(session: Session) -> Mapping[str, Checklist]:
    """The newest version of every checklist, by id, in the order of their English titles."""
    newest = select(ChecklistVersion.checklist, func.max(ChecklistVersion.number)).group_by(
        ChecklistVersion.checklist
    )
    found = dict(load_shipped())
    for checklist_id, number in session.execute(newest):
        known = found.get(checklist_id)
        if known is None or known.version < number:
            found[checklist_id] = get_version(session, checklist_id, number)
    return dict(sorted(found.items(), key=lambda item: item[1].title.en.casefold()))


def get_newest(session: Session, checklist_id: str) -> Checklist:
    """The newest version. Raises `NotFoundError`."""
    return get_version(session, checklist_id, _newest_number(session, checklist_id))


def get_version(session: Session, checklist_id: str, number: int) -> Checklist:
    """One version. Raises `NotFoundError`."""
    row = (
        session.scalar(
            select(ChecklistVersion).where(
                ChecklistVersion.checklist == checklist_id, ChecklistVersion.number == number
            )
        )
        if 0 < number <= MAX_VERSION
        else None  # and no database could hold the number
    )
    if row is not None:
        return from_data(row.data)
    known = load_shipped().get(checklist_id)
    if known is None or known.version != number:
        raise NotFoundError(msg("There is no such checklist."))
    return known


def list_versions(session: Session, checklist_id: str) -> Sequence[int]:
    """The numbers of all that are there, newest first."""
    kept = set(
        session.scalars(
            select(ChecklistVersion.number).where(ChecklistVersion.checklist == checklist_id)
        )
    )
    if checklist_id in load_shipped():
        kept.add(load_shipped()[checklist_id].version)
    return sorted(kept, reverse=True)


def store_version(work: Work, checklist: Checklist) -> None:
    """Keep a version by which something is answered, whatever the plugin comes with later."""
    insert_once(
        work.session,
        ChecklistVersion,
        checklist=checklist.id,
        number=checklist.version,
        data=to_data(checklist),
        by=work.by,
    )


def publish(work: Work, checklist: Checklist) -> Checklist:
    """Make this the newest version; its number is the next one. What changes nothing is no version.

    Raises `InvalidInputError` where there are too many.
    """
    there = list_versions(work.session, checklist.id)
    if there:
        before = get_version(work.session, checklist.id, there[0])
        if replace(checklist, version=before.version) == before:
            return before
        store_version(work, before)
        checklist = replace(checklist, version=there[0] + 1)
    elif len(list_current(work.session)) >= MAX_CHECKLISTS:
        raise InvalidInputError(
            msg(
                "Your council already has %(most)s checklists, which is the maximum.",
                most=MAX_CHECKLISTS,
            )
        )
    if checklist.version > MAX_VERSION:
        raise InvalidInputError(
            msg(
                "This checklist has reached the maximum number of versions. Write a "
                "new checklist instead."
            )
        )
    store_version(work, checklist)
    work.audit("publish", f"urn:moothall:checklist:{checklist.id}", version=checklist.version)
    return checklist


def _newest_number(session: Session, checklist_id: str) -> int:
    there = list_versions(session, checklist_id)
    if not there:
        raise NotFoundError(msg("There is no such checklist."))
    return there[0]
