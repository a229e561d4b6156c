"""What others send us: accepted in a fixed order, stored once, answered, and only then acted on.

`receive` runs in the web request, `work_off` as a job. A repeat is harmless; out of order is
harmless.
"""

from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import or_, select, update

from federation.acceptance import Accepted, Policy, accept
from federation.errors import FederationError, Refusal
from federation.origin import host_of
from federation.signatures import SignedRequest, claimed_host
from federation.vocabulary import Activity, id_of
from node.db import insert_once, now
from node.errors import MoothallError
from node.federating import fetching, peers, refusals
from node.federating.dispatching import dispatch
from node.federating.keystore import KeyStore
from node.federating.models import InboxItem
from node.runtime import Node, Received

log = structlog.get_logger(__name__)

JOB = "inbox"
BATCH = 50
MOST_ATTEMPTS = 5
# Activities whose object is acted on, so that it must come from whoever may speak for it.
CARRYING = frozenset({"Create", "Update"})


def receive(node: Node, request: SignedRequest) -> None:
    """Take one message.

    Raises `Refusal`, which has been counted; nothing else of the message is kept.
    """
    keys = KeyStore(node)
    try:
        verdict = accept(request, policy(node), keys, now())
    except Refusal as refusal:
        refuse(node, claimed_host(request), refusal)
        raise
    if not isinstance(verdict, Accepted):
        return
    activity = verdict.activity
    with node.work(by=activity.actor) as work:
        keys.remember(work.session)
        peers.heard(work.session, host_of(activity.actor))
        new = insert_once(
            work.session,
            InboxItem,
            uri=activity.id,
            actor_uri=activity.actor,
            type=activity.type[:40],
            body=activity.raw,
            trusted=verdict.embedded_trusted,
            state="new",
            attempts=0,
            received_at=now(),
            due_at=now(),
            outcome="",
        )
        if new:
            work.wake(JOB)


def refuse(node: Node, host: str, refusal: Refusal) -> None:
    """Note a refusal where the operator sees it. `host` is what the message claims to be from."""
    refusals.count(node, host, refusal)
    log.info("refused", host=host, reason=refusal.reason.value, detail=refusal.detail)


def policy(node: Node) -> Policy:
    """What this node's settings and peers say about who may send."""

    def host_allowed(host: str) -> bool:
        with node.reading() as session:
            return peers.is_allowed(session, node.settings, host)

    return Policy(host_allowed=host_allowed, plain_http=frozenset(node.settings.private_hosts))


def work_off(node: Node) -> None:
    """The job: act on everything that is due, oldest first."""
    while items := _lease(node):
        for item in items:
            _handle(node, item)


def release_all(node: Node) -> None:
    """When a node with its worker inside starts: leases that stand are of a dead process."""
    with node.work(by=JOB) as work:
        work.session.execute(
            update(InboxItem).where(InboxItem.leased_until.is_not(None)).values(leased_until=None)
        )


def _lease(node: Node) -> list[int]:
    moment = now()
    due = (
        select(InboxItem.id)
        .where(
            InboxItem.state == "new",
            InboxItem.due_at <= moment,
            or_(InboxItem.leased_until.is_(None), InboxItem.leased_until < moment),
        )
        .order_by(InboxItem.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    with node.work(by=JOB) as work:
        leased = work.session.scalars(
            update(InboxItem)
            .where(InboxItem.id.in_(due))
            .values(leased_until=moment + timedelta(seconds=node.settings.lease_seconds))
            .returning(InboxItem.id)
        ).all()
    return sorted(leased)


def _handle(node: Node, item_id: int) -> None:
    """Act on one message: its effect and its new state are committed together."""
    with node.reading() as session:
        item = session.get_one(InboxItem, item_id)
        body, trusted = item.body, item.trusted
    try:
        received = _prepare(node, body, trusted)
        with node.work(by=received.activity.actor) as work:
            outcome = dispatch(node, work, received)
            _finish(work.session.get_one(InboxItem, item_id), *outcome)
    except (MoothallError, FederationError) as error:
        permanent = getattr(error, "permanent", True)
        _put_off(node, item_id, str(error), permanent=permanent)
    except Exception as error:
        log.exception("an inbox item could not be handled", item=item_id)
        _put_off(node, item_id, f"{type(error).__name__}: {error}", permanent=False)


def _prepare(node: Node, body: dict[str, Any], trusted: bool) -> Received:
    """Find the object where it may be believed: in the message, or at its own origin."""
    activity = Activity.parse(body)
    embedded = activity.object if isinstance(activity.object, dict) else None
    if activity.type not in CARRYING:
        return Received(activity, embedded)
    uri = id_of(activity.object)
    if uri is not None and (embedded is None or not trusted):
        return Received(activity, fetching.document(node, uri))
    return Received(activity, embedded if trusted else None)


def _finish(item: InboxItem, state: str, outcome: str) -> None:
    item.state = state
    item.outcome = outcome[:500]
    item.leased_until = None


def _put_off(node: Node, item_id: int, why: str, *, permanent: bool) -> None:
    with node.work(by=JOB) as work:
        item = work.session.get_one(InboxItem, item_id)
        item.attempts += 1
        item.leased_until = None
        item.outcome = why[:500]
        if permanent or item.attempts >= MOST_ATTEMPTS:
            item.state = "failed"
        else:
            delay = timedelta(seconds=2 * 4 ** (item.attempts - 1))
            item.due_at = now() + delay
            work.wake(JOB, delay)
