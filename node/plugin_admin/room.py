"""What the administration of plugins contributes to the node."""

from node.events import On, TransactionEnding
from node.plugin_admin import failures, jobs, views
from node.room import Job, Room

ROOM = Room(
    name="plugin_admin",
    pages=(views.blueprint,),
    on=(On(TransactionEnding, failures.save_failures),),
    jobs=(Job(jobs.JOB, jobs.run_job, is_needed=lambda node: jobs.has_work(node.hooks)),),
)
