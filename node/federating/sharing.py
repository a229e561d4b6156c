"""The ledger of what left: which host got which object of ours, when first, when last and how."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from federation.origin import host_of
from node.db import insert_once, now
from node.federating.models import Actor, Shared

# What `Shared.type` says of what a host came for itself, rather than being sent it.
FETCHED = "Fetch"


def fetched(session: Session, object_uri: str, host: str) -> None:
    """`host` proved who it is and was given the document of `object_uri`, which not all may read.

    It is told when the object is deleted.
    """
    moment = now()
    values = {"type": FETCHED, "first_at": moment, "last_at": moment}
    if not insert_once(session, Shared, object_uri=object_uri, host=host, **values):
        of = Shared.object_uri == object_uri, Shared.host == host
        row = session.scalars(select(Shared).where(*of)).one()
        row.type, row.last_at, row.deleted_at = FETCHED, moment, None


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
