"""The disclosure ledger: which host received which local object, first and last when, and how."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from federation.origin import host_of
from federation.vocabulary.activity_types import DELETE, activity_type
from node.database.tables import insert_into, now
from node.federating.models import Actor, Disclosure
from node.federating.outbound.outgoing_requests import OutgoingRequest

# `Disclosure.type` of an object that the host fetched, rather than being sent it.
FETCH_TYPE = "Fetch"


def record_fetch(session: Session, object_uri: str, host: str) -> None:
    """Record that `host` proved its identity and fetched `object_uri`, which is not public. The
    host will get the object's Delete.
    """
    _upsert(session, [{"object_uri": object_uri, "host": host, "inbox": None, "type": FETCH_TYPE}])


def record_deliveries(session: Session, requests: Iterable[OutgoingRequest]) -> None:
    """Record delivered requests. A delivered Delete counts as the host's acknowledgement that the
    object is gone.
    """
    received: dict[tuple[str, str], dict[str, Any]] = {}
    deleted: dict[tuple[str, str], dict[str, Any]] = {}
    for request in requests:
        key = request.object_uri, request.host
        if request.activity_type == DELETE:
            deleted[key] = {"of": request.object_uri, "at": request.host}
        elif activity_type(request.activity_type).shares_object:
            received[key] = {
                "object_uri": request.object_uri,
                "host": request.host,
                "inbox": request.inbox,
                "type": request.activity_type,
            }
    if received:
        _upsert(session, [received[key] for key in sorted(received)])
    if deleted:
        _mark_deleted(session, [deleted[key] for key in sorted(deleted)])


def find_holder_inboxes(session: Session, object_uri: str) -> set[str]:
    """The inboxes of all hosts that received `object_uri` and have not acknowledged its Delete."""
    query = select(Disclosure).where(
        Disclosure.object_uri == object_uri, Disclosure.deleted_at.is_(None)
    )
    rows = session.scalars(query).all()
    inboxes = {row.inbox for row in rows if row.inbox}
    fetching_hosts = {row.host for row in rows} - {host_of(inbox) for inbox in inboxes}
    return inboxes | {
        inbox for host in fetching_hosts if (inbox := _find_inbox_on_host(session, host))
    }


def _find_inbox_on_host(session: Session, host: str) -> str | None:
    """An inbox of a host that only fetched, if any actor there is known."""
    inbox = func.coalesce(Actor.shared_inbox, Actor.inbox)
    query = select(inbox).where(Actor.host == host, ~Actor.is_local).order_by(Actor.id).limit(1)
    return session.scalar(query)


def _upsert(session: Session, disclosures: list[Mapping[str, Any]]) -> None:
    current_time = now()
    insert = insert_into(session, Disclosure)
    excluded = insert.excluded
    statement = insert.on_conflict_do_update(
        index_elements=["object_uri", "host"],
        set_={
            "inbox": func.coalesce(excluded.inbox, Disclosure.inbox),
            "type": excluded.type,
            "last_at": excluded.last_at,
            "deleted_at": None,
        },
    )
    times = {"first_at": current_time, "last_at": current_time}
    session.connection().execute(statement, [{**disclosure, **times} for disclosure in disclosures])


def _mark_deleted(session: Session, deleted: list[Mapping[str, Any]]) -> None:
    conditions = Disclosure.object_uri == bindparam("of"), Disclosure.host == bindparam("at")
    session.connection().execute(
        update(Disclosure).where(*conditions).values(deleted_at=now()), deleted
    )
