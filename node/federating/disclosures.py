"""The ledger of what left: which host got which object of ours, when first, when last and how."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from federation.origin import host_of
from node.db import insert_into, now
from node.federating.models import Actor, Disclosure
from node.federating.outgoing_requests import OutgoingRequest

# What `Shared.type` says of what a host came for itself, rather than being sent it.
FETCHED = "Fetch"
# Activities by which nobody gets anything of ours that could be taken back.
NON_DISCLOSING_TYPES = frozenset(
    {"Follow", "Accept", "Reject", "Undo", "Delete", "Like", "Block", "Flag", "Move"}
)


def record_fetch(session: Session, object_uri: str, host: str) -> None:
    """`host` proved who it is and was given the document of `object_uri`, which not all may read.

    It is told when the object is deleted.
    """
    _upsert(session, [{"object_uri": object_uri, "host": host, "inbox": None, "type": FETCHED}])


def record_deliveries(session: Session, letters: Iterable[OutgoingRequest]) -> None:
    """These were taken. Of a Delete that is the acknowledgement that the object is gone."""
    got: dict[tuple[str, str], dict[str, Any]] = {}
    gone: dict[tuple[str, str], dict[str, Any]] = {}
    for letter in letters:
        which = letter.object_uri, letter.host
        if letter.activity_type == "Delete":
            gone[which] = {"of": letter.object_uri, "at": letter.host}
        elif letter.activity_type not in NON_DISCLOSING_TYPES:
            got[which] = {
                "object_uri": letter.object_uri,
                "host": letter.host,
                "inbox": letter.inbox,
                "type": letter.activity_type,
            }
    if got:
        _upsert(session, [got[which] for which in sorted(got)])
    if gone:
        _mark_deleted(session, [gone[which] for which in sorted(gone)])


def holder_inboxes(session: Session, object_uri: str) -> set[str]:
    """Where every host hears that got `object_uri` and has not acknowledged that it is gone."""
    got = select(Disclosure).where(
        Disclosure.object_uri == object_uri, Disclosure.deleted_at.is_(None)
    )
    rows = session.scalars(got).all()
    sent = {row.inbox for row in rows if row.inbox}
    came = {row.host for row in rows} - {host_of(inbox) for inbox in sent}
    return sent | {inbox for host in came if (inbox := _inbox_on_host(session, host))}


def _inbox_on_host(session: Session, host: str) -> str | None:
    """An inbox of a host that never was sent anything, if any actor there is known."""
    inbox = func.coalesce(Actor.shared_inbox, Actor.inbox)
    query = select(inbox).where(Actor.host == host, ~Actor.is_local).order_by(Actor.id).limit(1)
    return session.scalar(query)


def _upsert(session: Session, got: list[Mapping[str, Any]]) -> None:
    moment = now()
    insert = insert_into(session, Disclosure)
    new = insert.excluded
    statement = insert.on_conflict_do_update(
        index_elements=["object_uri", "host"],
        set_={
            "inbox": func.coalesce(new.inbox, Disclosure.inbox),
            "type": new.type,
            "last_at": new.last_at,
            "deleted_at": None,
        },
    )
    times = {"first_at": moment, "last_at": moment}
    session.connection().execute(statement, [{**one, **times} for one in got])


def _mark_deleted(session: Session, gone: list[Mapping[str, Any]]) -> None:
    which = Disclosure.object_uri == bindparam("of"), Disclosure.host == bindparam("at")
    session.connection().execute(update(Disclosure).where(*which).values(deleted_at=now()), gone)
