"""What others send us: accepted in a fixed order, stored once, answered, and only then acted on.

`receive` runs in the web request, `work_off` as a job. A repeat is harmless; out of order is
harmless.
"""

from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from federation.acceptance import Accepted, Policy, accept
from federation.errors import FederationError, Refusal
from federation.origin import host_of
from federation.signatures import SignedRequest, claimed_host
from federation.vocabulary import Activity
from node.db import insert_once, now
from node.errors import MoothallError
from node.federating import fetching, peers, queues, refusals
from node.federating.dispatching import dispatch
from node.federating.keystore import KeyStore
from node.federating.models import InboxItem
from node.runtime import Node, Received

log = structlog.get_logger(__name__)

FETCHING_JOB = "inbox-fetching"
BATCH = 50
# So many fetches are under way at once.
FETCHES = 4
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
    host = host_of(activity.actor)
    carries = activity.type in CARRYING and activity.object_id is not None
    needs_fetch = carries and not verdict.embedded_trusted
    with node.work(by=activity.actor) as work:
        keys.remember(work.session)
        peers.heard(work.session, host)
        new = insert_once(
            work.session,
            InboxItem,
            uri=activity.id,
            actor_uri=activity.actor,
            host=host,
            type=activity.type[:40],
            body=activity.raw,
            object_uri=(activity.object_id or "")[:2000] or None,
            needs_fetch=needs_fetch,
            state="new",
            attempts=0,
            received_at=now(),
            due_at=now(),
            outcome="",
        )
        if new:
            work.wake(FETCHING_JOB if needs_fetch else InboxItem.JOB)


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


@queues.wakes_for_next(InboxItem)
def work_off(node: Node) -> None:
    """The job: act on everything that can be acted on here and now, oldest first."""
    while items := queues.lease(node, InboxItem, BATCH, InboxItem.needs_fetch.is_(False)):
        for item in items:
            _handle(node, item)


def work_off_fetching(node: Node) -> None:
    """The job: act on what must first be fetched from its origin, which may take its time.

    Of each host one at once, so that a slow one holds up nobody else.
    """

    def lease(most: int) -> list[int]:
        return queues.lease(node, InboxItem, most, InboxItem.needs_fetch.is_(True), of_each_host=1)

    queues.in_parallel(FETCHES, lease, partial(_handle, node))


def _handle(node: Node, item_id: int) -> None:
    """Act on one message: its effect and its new state are committed together."""
    with node.reading() as session:
        item = session.get_one(InboxItem, item_id)
        body, needs_fetch = item.body, item.needs_fetch
    try:
        received = _prepare(node, body, needs_fetch)
        with node.work(by=received.activity.actor) as work:
            item = work.session.get_one(InboxItem, item_id, with_for_update=True)
            if item.state == InboxItem.WAITING:  # else a lease ran out, and another was quicker
                _finish(item, *dispatch(node, work, received))
    except (MoothallError, FederationError) as error:
        permanent = getattr(error, "permanent", True)
        _put_off(node, item_id, str(error), permanent=permanent)
    except Exception as error:
        log.exception("an inbox item could not be handled", item=item_id)
        _put_off(node, item_id, f"{type(error).__name__}: {error}", permanent=False)


def _prepare(node: Node, body: dict[str, Any], needs_fetch: bool) -> Received:
    """Find the object where it may be believed: in the message, or at its own origin."""
    activity = Activity.parse(body)
    if needs_fetch:
        return Received(activity, fetching.document(node, activity.object_id or ""))
    embedded = activity.object if isinstance(activity.object, dict) else None
    is_anonymous = activity.type in CARRYING and activity.object_id is None
    return Received(activity, None if is_anonymous else embedded)


def _finish(item: InboxItem, state: str, outcome: str) -> None:
    item.state = state
    item.outcome = outcome[:500]
    item.leased_until = None


def _put_off(node: Node, item_id: int, why: str, *, permanent: bool) -> None:
    with node.work(by=InboxItem.JOB) as work:
        item = work.session.get_one(InboxItem, item_id)
        item.attempts += 1
        item.leased_until = None
        item.outcome = why[:500]
        if permanent or item.attempts >= MOST_ATTEMPTS:
            item.state = "failed"
        else:
            delay = timedelta(seconds=2 * 4 ** (item.attempts - 1))
            item.due_at = now() + delay
            work.wake(FETCHING_JOB if item.needs_fetch else InboxItem.JOB, delay)
