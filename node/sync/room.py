"""What synchronisation between councils contributes to the node."""

from node.federating.models import Comparison
from node.room import Job, Room
from node.sync import comparison, views
from node.sync.ingest import parse_page

ROOM = Room(
    name="sync",
    pages=(views.blueprint,),
    jobs=(Job(Comparison.JOB, comparison.run_job),),
    page_parser=parse_page,
)
