"""The admission of a server: what follows once the operator has allowed it."""

from functools import partial

import structlog
from sqlalchemy import exists, select

from federation.errors import FederationError, Reason
from federation.retry import FOLLOW_REFUSED_FOR
from federation.vocabulary import Actor as ActorDocument
from federation.vocabulary import update
from node import portions
from node.db import now
from node.errors import MoothallError
from node.federating import actors, addresses, discovery, health, peers, publishing, refusals
from node.federating.following import accept_again
from node.federating.models import Actor, Follow, Peer, RefusalCount
from node.isolation import each
from node.runtime import Node, UnitOfWork

log = structlog.get_logger(__name__)

# Followers that are accepted once more in one transaction: for each, an earlier answer goes and a
# new one is delivered.
MOST_ACCEPTED = 50


def work_off(node: Node) -> None:
    """The job: followers on servers that were allowed a moment ago are accepted once more, by which
    their nodes know that there may be more for them now, and compare. Follows of ours that such a
    server refused are sent again. A server that this node refused hears from it, so that it sends
    again what waits there.
    """
    with node.reading() as session:
        hosts = session.scalars(select(Peer.host).where(Peer.is_to_greet)).all()
    each(node, peers.ADMISSION_JOB, hosts, partial(_greet, node))


def _greet(node: Node, host: str) -> None:
    application = _application(node, host) if _was_refused(node, host) else None
    with node.work(by=peers.ADMISSION_JOB) as work:
        peers.row(work.session, host).is_to_greet = False
        if not peers.is_allowed(work.session, work.settings, host):
            return
        portions.begin(work, ACCEPTING, host)
        health.send_refused_follows(work, host)
        if application is not None:
            _introduce(work, application)


def _accept_some(work: UnitOfWork, row: portions.LongWrite) -> bool:
    """Accept followers on a host once more, the oldest first."""
    host = row.subject
    if not peers.is_allowed(work.session, work.settings, host):
        return False
    theirs = actors.on_host(Follow.follower_id, host), Follow.state == "accepted"
    ours = Follow.followed.has(Actor.kind == "Organization")
    following = select(Follow).where(*theirs, ours, Follow.id > row.position).order_by(Follow.id)
    follows = work.session.scalars(following.limit(MOST_ACCEPTED)).all()
    for follow in follows:
        accept_again(work, follow)
        row.position = follow.id
    return len(follows) == MOST_ACCEPTED


ACCEPTING = portions.Kind("accept-followers", _accept_some)


def _was_refused(node: Node, host: str) -> bool:
    """Whether a message of `host` was refused lately because nobody had allowed it."""
    refusals.flush(node)
    lately = RefusalCount.last_at > now() - FOLLOW_REFUSED_FOR
    unallowed = RefusalCount.host == host, RefusalCount.reason == Reason.host_not_allowed.value
    with node.reading() as session:
        return bool(session.scalar(select(exists().where(*unallowed, lately))))


def _application(node: Node, host: str) -> ActorDocument | None:
    """The actor of the server itself, if it can be had now."""
    try:
        return discovery.application(node, host)
    except (MoothallError, FederationError) as error:
        log.info("a server that was allowed does not say who it is", host=host, why=str(error))
        return None


def _introduce(work: UnitOfWork, application: ActorDocument) -> None:
    """Send our node's actor, which changes nothing there but shows that we are heard."""
    ours = actors.node_actor(work.session, work.settings)
    document = actors.describe(work.settings, ours).dump()
    uri = addresses.new_activity(work.settings)
    activity = update(uri, ours.uri, document, to=[application.id])
    publishing.send(work, ours, activity, to=actors.remember(work.session, application))
