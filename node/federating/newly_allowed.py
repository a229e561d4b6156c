"""The admission of a server: what follows once the operator has allowed it."""

from functools import partial

import structlog
from sqlalchemy import exists, select

from federation.errors import FederationError, Reason
from federation.retry import FOLLOW_REFUSED_FOR
from federation.vocabulary import ActorDocument, update
from node import long_writes
from node.db import now
from node.error_isolation import for_each
from node.errors import MoothallError
from node.federating import (
    actors,
    local_uris,
    outbox,
    peer_health,
    peers,
    refusals,
    server_discovery,
)
from node.federating.following import resend_accept
from node.federating.models import Actor, Follow, Peer, RefusalCount
from node.runtime import Node, UnitOfWork

log = structlog.get_logger(__name__)

# Followers that are accepted once more in one transaction: for each, an earlier answer goes and a
# new one is delivered.
BATCH_SIZE = 50


def run_job(node: Node) -> None:
    """The job: followers on servers that were allowed a moment ago are accepted once more, by which
    their nodes know that there may be more for them now, and compare. Follows of ours that such a
    server refused are sent again. A server that this node refused hears from it, so that it sends
    again what waits there.
    """
    with node.reading() as session:
        hosts = session.scalars(select(Peer.host).where(Peer.is_to_greet)).all()
    for_each(node, peers.NEWLY_ALLOWED_JOB, hosts, partial(_process_host, node))


def _process_host(node: Node, host: str) -> None:
    application = _fetch_application_actor(node, host) if _was_refused(node, host) else None
    with node.work(by=peers.NEWLY_ALLOWED_JOB) as work:
        peers.get_or_create(work.session, host).is_to_greet = False
        if not peers.is_allowed(work.session, work.settings, host):
            return
        long_writes.begin(work, ACCEPT_FOLLOWERS, host)
        peer_health.resend_refused_follows(work, host)
        if application is not None:
            _send_node_actor(work, application)


def _accept_batch(work: UnitOfWork, row: long_writes.LongWrite) -> bool:
    """Accept followers on a host once more, the oldest first."""
    host = row.subject
    if not peers.is_allowed(work.session, work.settings, host):
        return False
    theirs = actors.on_host(Follow.follower_id, host), Follow.state == "accepted"
    ours = Follow.followed.has(Actor.kind == "Organization")
    following = select(Follow).where(*theirs, ours, Follow.id > row.position).order_by(Follow.id)
    follows = work.session.scalars(following.limit(BATCH_SIZE)).all()
    for follow in follows:
        resend_accept(work, follow)
        row.position = follow.id
    return len(follows) == BATCH_SIZE


ACCEPT_FOLLOWERS = long_writes.LongWriteKind("accept-followers", _accept_batch)


def _was_refused(node: Node, host: str) -> bool:
    """Whether a message of `host` was refused lately because nobody had allowed it."""
    refusals.flush(node)
    lately = RefusalCount.last_at > now() - FOLLOW_REFUSED_FOR
    unallowed = RefusalCount.host == host, RefusalCount.reason == Reason.host_not_allowed.value
    with node.reading() as session:
        return bool(session.scalar(select(exists().where(*unallowed, lately))))


def _fetch_application_actor(node: Node, host: str) -> ActorDocument | None:
    """The actor of the server itself, if it can be had now."""
    try:
        return server_discovery.fetch_application_actor(node, host)
    except (MoothallError, FederationError) as error:
        log.info("a server that was allowed does not say who it is", host=host, why=str(error))
        return None


def _send_node_actor(work: UnitOfWork, application: ActorDocument) -> None:
    """Send our node's actor, which changes nothing there but shows that we are heard."""
    ours = actors.node_actor(work.session, work.settings)
    document = actors.build_document(work.settings, ours).dump()
    uri = local_uris.new_activity(work.settings)
    activity = update(uri, ours.uri, document, to=[application.id])
    outbox.send(work, ours, activity, to=actors.upsert(work.session, application))
