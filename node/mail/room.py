"""What email contributes to the node."""

from node.mail import service
from node.mail.models import Mail
from node.room import Job, Room

ROOM = Room(name="mail", jobs=(Job(Mail.JOB, service.run_job),), retention=service.RETENTION)
