"""What the operator's pages contribute to the node."""

from node.operating import blueprint, key_rotation
from node.room import Job, Room

ROOM = Room(
    name="operating",
    pages=(blueprint,),
    jobs=(Job(key_rotation.JOB, key_rotation.run_job),),
    batched_writes=key_rotation.BATCHED_WRITES,
)
