"""Contacts servers that the operator has just allowed, so that both sides catch up."""

from functools import partial

import structlog
from sqlalchemy import exists, select

from federation.errors import FederationError, RefusalReason
from federation.retry import REQUEST_REFUSAL_RETRY_PERIOD
from federation.vocabulary import ActorDocument, update
from node.database.tables import now
from node.errors import MoothallError
from node.federating.identity import actors, local_uris
from node.federating.inbound import server_discovery
from node.federating.models import Actor, Follow, Peer, RefusalCount
from node.federating.outbound import outbox, peer_health
from node.federating.peers import refusals
from node.federating.peers import service as peers
from node.federating.sync.following import resend_accept
from node.principal import Principal
from node.queue import batched_writes
from node.queue.error_isolation import for_each
from node.runtime import Node, UnitOfWork

log = structlog.get_logger(__name__)

# Followers that are accepted again per transaction: each deletes an earlier answer and delivers a
# new one.
BATCH_SIZE = 50


def run_job(node: Node) -> None:
    """The job: for each newly allowed server, accept its followers again, so that their nodes
    compare and find what is new for them, and resend follows that it refused. A server whose
    messages this node refused is sent an Update, so that it delivers again what waits there.
    """
    with node.reading() as session:
        hosts = session.scalars(select(Peer.host).where(Peer.is_to_greet)).all()
    for_each(node, peers.NEWLY_ALLOWED_JOB, hosts, partial(_process_host, node))


def _process_host(node: Node, host: str) -> None:
    application = _fetch_application_actor(node, host) if _was_refused(node, host) else None
    with node.work(by=Principal.job(peers.NEWLY_ALLOWED_JOB)) as work:
        peers.get_or_create(work.session, host).is_to_greet = False
        if not peers.is_allowed(work.session, work.settings, host):
            return
        batched_writes.start(work, ACCEPT_FOLLOWERS, host)
        peer_health.resend_refused_follows(work, host)
        if application is not None:
            _send_node_actor(work, application)


def _accept_batch(work: UnitOfWork, row: batched_writes.BatchedWrite) -> bool:
    """Accept a batch of followers on a host again, oldest first. Returns whether there are more."""
    host = row.subject
    if not peers.is_allowed(work.session, work.settings, host):
        return False
    by_host = actors.is_on_host(Follow.follower_id, host), Follow.state == "accepted"
    of_council = Follow.followed.has(Actor.kind == "Organization")
    query = select(Follow).where(*by_host, of_council, Follow.id > row.position).order_by(Follow.id)
    follows = work.session.scalars(query.limit(BATCH_SIZE)).all()
    for follow in follows:
        resend_accept(work, follow)
        row.position = follow.id
    return len(follows) == BATCH_SIZE


ACCEPT_FOLLOWERS = batched_writes.BatchedWriteKind("accept-followers", _accept_batch)


def _was_refused(node: Node, host: str) -> bool:
    """Whether a message of `host` was refused recently because it was not allowed."""
    refusals.flush(node)
    is_recent = RefusalCount.last_at > now() - REQUEST_REFUSAL_RETRY_PERIOD
    not_allowed = (
        RefusalCount.host == host,
        RefusalCount.reason == RefusalReason.host_not_allowed.value,
    )
    with node.reading() as session:
        return bool(session.scalar(select(exists().where(*not_allowed, is_recent))))


def _fetch_application_actor(node: Node, host: str) -> ActorDocument | None:
    """The server's own actor, if it can be fetched now."""
    try:
        return server_discovery.fetch_application_actor(node, host)
    except (MoothallError, FederationError) as error:
        log.info("application actor not found", host=host, reason=str(error))
        return None


def _send_node_actor(work: UnitOfWork, application: ActorDocument) -> None:
    """Send an Update of our node's actor, which shows the other server that we accept messages."""
    node_actor = actors.get_node_actor(work.session, work.settings)
    document = actors.build_document(work.settings, node_actor).dump()
    uri = local_uris.new_activity(work.settings)
    activity = update(uri, node_actor.uri, document, to=[application.id])
    outbox.send(work, node_actor, activity, to=actors.upsert(work.session, application))
