"""The ledger of what left: which host got which object of ours, when first, when last and how."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from federation.origin import host_of
from node.db import insert_into, now
from node.federating.models import Actor, Shared
from node.federating.sending import Letter

# What `Shared.type` says of what a host came for itself, rather than being sent it.
FETCHED = "Fetch"
# Activities by which nobody gets anything of ours that could be taken back.
BARE = frozenset({"Follow", "Accept", "Reject", "Undo", "Delete", "Like", "Block", "Flag", "Move"})


def fetched(session: Session, object_uri: str, host: str) -> None:
    """`host` proved who it is and was given the document of `object_uri`, which not all may read.

    It is told when the object is deleted.
    """
    _note(session, [{"object_uri": object_uri, "host": host, "inbox": None, "type": FETCHED}])


def delivered(session: Session, letters: Iterable[Letter]) -> None:
    """These were taken. Of a Delete that is the acknowledgement that the object is gone."""
    got: dict[tuple[str, str], dict[str, Any]] = {}
    gone: dict[tuple[str, str], dict[str, Any]] = {}
    for letter in letters:
        which = letter.object_uri, letter.host
        if letter.kind == "Delete":
            gone[which] = {"of": letter.object_uri, "at": letter.host}
        elif letter.kind not in BARE:
            got[which] = {
                "object_uri": letter.object_uri,
                "host": letter.host,
                "inbox": letter.inbox,
                "type": letter.kind,
            }
    if got:
        _note(session, [got[which] for which in sorted(got)])
    if gone:
        _note_gone(session, [gone[which] for which in sorted(gone)])


def inboxes(session: Session, object_uri: str) -> set[str]:
    """Where every host hears that got `object_uri` and has not acknowledged that it is gone."""
    got = select(Shared).where(Shared.object_uri == object_uri, Shared.deleted_at.is_(None))
    rows = session.scalars(got).all()
    sent = {row.inbox for row in rows if row.inbox}
    came = {row.host for row in rows} - {host_of(inbox) for inbox in sent}
    return sent | {inbox for host in came if (inbox := _of_host(session, host))}


def _of_host(session: Session, host: str) -> str | None:
    """An inbox of a host that never was sent anything, if any actor there is known."""
    inbox = func.coalesce(Actor.shared_inbox, Actor.inbox)
    query = select(inbox).where(Actor.host == host, ~Actor.is_local).order_by(Actor.id).limit(1)
    return session.scalar(query)


def _note(session: Session, got: list[Mapping[str, Any]]) -> None:
    moment = now()
    insert = insert_into(session, Shared)
    new = insert.excluded
    statement = insert.on_conflict_do_update(
        index_elements=["object_uri", "host"],
        set_={
            "inbox": func.coalesce(new.inbox, Shared.inbox),
            "type": new.type,
            "last_at": new.last_at,
            "deleted_at": None,
        },
    )
    times = {"first_at": moment, "last_at": moment}
    session.connection().execute(statement, [{**one, **times} for one in got])


def _note_gone(session: Session, gone: list[Mapping[str, Any]]) -> None:
    which = Shared.object_uri == bindparam("of"), Shared.host == bindparam("at")
    session.connection().execute(update(Shared).where(*which).values(deleted_at=now()), gone)
