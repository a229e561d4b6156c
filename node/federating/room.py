"""What federating contributes to the node: identity, peers, delivery, the inbox, following."""

from node.events import On
from node.federating import retention, views
from node.federating.events import ActorDeleted
from node.federating.inbound import inbox_processor, newly_allowed_servers, server_discovery
from node.federating.models import ActorDeletion, Backfill, Delivery, InboxItem, PeerList
from node.federating.outbound import clock, delivery, peer_health
from node.federating.peers import actor_deletions, peer_list_subscriptions
from node.federating.peers import service as peers
from node.federating.sync import actor_blocks, backfill, following
from node.room import Job, Room

ROOM = Room(
    name="federating",
    pages=views.blueprints,
    receives=(actor_deletions.HANDLERS, following.HANDLERS, actor_blocks.HANDLERS),
    on=(On(ActorDeleted, actor_deletions.erase_messages),),
    jobs=(
        Job(Delivery.JOB, delivery.run_job),
        Job(peer_health.JOB, peer_health.run_probe_job),
        Job(InboxItem.JOB, inbox_processor.run_job, inbox_processor.COALESCE_SECONDS),
        Job(inbox_processor.FETCHING_JOB, inbox_processor.run_fetching_job),
        Job(clock.JOB, clock.run_job),
        Job(Backfill.JOB, backfill.run_job),
        Job(PeerList.JOB, peer_list_subscriptions.run_job),
        Job(peers.NEWLY_ALLOWED_JOB, newly_allowed_servers.run_job),
        Job(ActorDeletion.JOB, actor_deletions.run_job),
        Job(server_discovery.JOB, server_discovery.run_job),
    ),
    batched_writes=(
        clock.RESCHEDULE,
        *delivery.BATCHED_WRITES,
        peer_health.RELEASE_DELIVERIES,
        newly_allowed_servers.ACCEPT_FOLLOWERS,
        peers.ENFORCE_BLOCKS,
        actor_deletions.ERASE_MESSAGES,
    ),
    retention=retention.RETENTION,
)
