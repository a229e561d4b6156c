"""What forgotten passwords contribute to the node."""

from node.events import On
from node.passwords import service, views
from node.people.events import CredentialsRevoked
from node.room import Job, Room

ROOM = Room(
    name="passwords",
    pages=(views.blueprint,),
    on=(On(CredentialsRevoked, service.on_credentials_revoked),),
    jobs=(Job(service.JOB, service.run_job),),
    retention=service.RETENTION,
)
