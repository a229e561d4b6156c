"""The checklists of this node: those shipped with the plugin, and those written here.

A version never changes. New runs use the newest one; older ones are kept for the runs that use
them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.api import InvalidInputError, NotFoundError, Work, insert_once, msg
from plugins.checklists.definitions.checklist import Checklist
from plugins.checklists.definitions.parsing import MAX_VERSION, parse_data
from plugins.checklists.definitions.serialising import to_data
from plugins.checklists.definitions.shipped import load_shipped
from plugins.checklists.models import ChecklistVersion

# Checklists of one council, shipped ones included.
MAX_CHECKLISTS = 200


def list_current(session: Session) -> Mapping[str, Checklist]:
    """The newest version of every checklist, by id, in the order of their English titles."""
    newest = select(ChecklistVersion.checklist, func.max(ChecklistVersion.number)).group_by(
        ChecklistVersion.checklist
    )
    checklists = dict(load_shipped())
    for checklist_id, number in session.execute(newest):
        current = checklists.get(checklist_id)
        if current is None or current.version < number:
            checklists[checklist_id] = get_version(session, checklist_id, number)
    return dict(sorted(checklists.items(), key=lambda item: item[1].title.en.casefold()))


def get_newest(session: Session, checklist_id: str) -> Checklist:
    """The newest version of a checklist. Raises `NotFoundError`."""
    return get_version(session, checklist_id, _newest_number(session, checklist_id))


def get_version(session: Session, checklist_id: str, number: int) -> Checklist:
    """One version of a checklist. Raises `NotFoundError`."""
    row = (
        session.scalar(
            select(ChecklistVersion).where(
                ChecklistVersion.checklist == checklist_id, ChecklistVersion.number == number
            )
        )
        if 0 < number <= MAX_VERSION
        else None  # the number may be too large for the database
    )
    if row is not None:
        return parse_data(row.data)
    shipped = load_shipped().get(checklist_id)
    if shipped is None or shipped.version != number:
        raise NotFoundError(msg("Checklist not found."))
    return shipped


def list_versions(session: Session, checklist_id: str) -> Sequence[int]:
    """The version numbers of a checklist, newest first."""
    numbers = set(
        session.scalars(
            select(ChecklistVersion.number).where(ChecklistVersion.checklist == checklist_id)
        )
    )
    if checklist_id in load_shipped():
        numbers.add(load_shipped()[checklist_id].version)
    return sorted(numbers, reverse=True)


def store_version(work: Work, checklist: Checklist) -> None:
    """Store a version that is used here, so that it stays available if the plugin ships another."""
    insert_once(
        work.session,
        ChecklistVersion,
        checklist=checklist.id,
        number=checklist.version,
        data=to_data(checklist),
        by=work.by,
    )


def publish(work: Work, checklist: Checklist) -> Checklist:
    """Publish a checklist under the next version number, and return it as published.

    If nothing changed, the current version is returned. Raises `InvalidInputError` above the limits
    of checklists or versions.
    """
    versions = list_versions(work.session, checklist.id)
    if versions:
        current = get_version(work.session, checklist.id, versions[0])
        if replace(checklist, version=current.version) == current:
            return current
        store_version(work, current)
        checklist = replace(checklist, version=versions[0] + 1)
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
    versions = list_versions(session, checklist_id)
    if not versions:
        raise NotFoundError(msg("Checklist not found."))
    return versions[0]
