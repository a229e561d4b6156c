"""The checklists that there are: those that come with the plugin, and what was written here.

A version never changes once it is there. The newest is the one to begin with; older ones stay for
the runs that were answered by them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.api import InvalidInputError, NotFoundError, Work, insert_once, say
from plugins.checklists.definitions.model import Checklist
from plugins.checklists.definitions.reading import MOST_VERSION, from_data
from plugins.checklists.definitions.shipped import shipped
from plugins.checklists.definitions.writing import to_data
from plugins.checklists.models import Version

# So many checklists a council may have.
MOST = 200


def current(session: Session) -> Mapping[str, Checklist]:
    """The newest version of every checklist, by id, in the order of their English titles."""
    newest = select(Version.checklist, func.max(Version.number)).group_by(Version.checklist)
    found = dict(shipped())
    for checklist_id, number in session.execute(newest):
        known = found.get(checklist_id)
        if known is None or known.version < number:
            found[checklist_id] = version(session, checklist_id, number)
    return dict(sorted(found.items(), key=lambda item: item[1].title.en.casefold()))


def checklist(session: Session, checklist_id: str) -> Checklist:
    """The newest version. Raises `NotFoundError`."""
    return version(session, checklist_id, _newest(session, checklist_id))


def version(session: Session, checklist_id: str, number: int) -> Checklist:
    """One version. Raises `NotFoundError`."""
    row = (
        session.scalar(
            select(Version).where(Version.checklist == checklist_id, Version.number == number)
        )
        if 0 < number <= MOST_VERSION
        else None  # and no database could hold the number
    )
    if row is not None:
        return from_data(row.data)
    known = shipped().get(checklist_id)
    if known is None or known.version != number:
        raise NotFoundError(say("There is no such checklist."))
    return known


def versions(session: Session, checklist_id: str) -> Sequence[int]:
    """The numbers of all that are there, newest first."""
    kept = set(session.scalars(select(Version.number).where(Version.checklist == checklist_id)))
    if checklist_id in shipped():
        kept.add(shipped()[checklist_id].version)
    return sorted(kept, reverse=True)


def keep(work: Work, checklist: Checklist) -> None:
    """Keep a version by which something is answered, whatever the plugin comes with later."""
    insert_once(
        work.session,
        Version,
        checklist=checklist.id,
        number=checklist.version,
        data=to_data(checklist),
        by=work.by,
    )


def publish(work: Work, checklist: Checklist) -> Checklist:
    """Make this the newest version; its number is the next one. What changes nothing is no version.

    Raises `InvalidInputError` where there are too many.
    """
    there = versions(work.session, checklist.id)
    if there:
        before = version(work.session, checklist.id, there[0])
        if replace(checklist, version=before.version) == before:
            return before
        keep(work, before)
        checklist = replace(checklist, version=there[0] + 1)
    elif len(current(work.session)) >= MOST:
        raise InvalidInputError(
            say("Your council already has %(most)s checklists, which is the maximum.", most=MOST)
        )
    if checklist.version > MOST_VERSION:
        raise InvalidInputError(
            say(
                "This checklist has reached the maximum number of versions. Write a "
                "new checklist instead."
            )
        )
    keep(work, checklist)
    work.audit("publish", f"urn:moothall:checklist:{checklist.id}", version=checklist.version)
    return checklist


def _newest(session: Session, checklist_id: str) -> int:
    there = versions(session, checklist_id)
    if not there:
        raise NotFoundError(say("There is no such checklist."))
    return there[0]
