"""What the search contributes to the node."""

from node.events import On, TransactionEnding
from node.projects import reindex_queue
from node.room import Job, Room
from node.search import indexing, notifications, views

ROOM = Room(
    name="search",
    pages=(views.blueprint,),
    on=(On(TransactionEnding, indexing.index_in_transaction),),
    notifications=notifications.KINDS,
    jobs=(
        Job(reindex_queue.JOB, indexing.run_job, indexing.COALESCE_SECONDS),
        Job(notifications.JOB, notifications.run_job),
    ),
    batched_writes=(indexing.REBUILD_INDEX,),
)
