"""Withdraws updates, comments and other objects about a project that fewer people may see.

They are hidden from those readers and deleted on their servers; if the project was deleted, they
are erased here too. Each room that has such objects declares a `Withdrawal`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from node.access import audiences
from node.access.visibility import Visibility
from node.projects.events import AudienceNarrowed
from node.projects.models import Project, ProjectState
from node.queue import batched_writes
from node.queue.batched_writes import BatchedWrite, BatchedWriteKind
from node.runtime import UnitOfWork

# Objects withdrawn in one transaction. Each is sent to every server that ever received it, so a
# batch has to be small.
BATCH_SIZE = 20

# `(work, project, remaining_audience, after_id, limit)`: withdraws up to `limit` of the room's rows
# about the project, from the row id `after_id` on. The first call, with 0, hides all of them.
# Returns the last row id, 0 if there are no more.
WithdrawBatch = Callable[[UnitOfWork, Project, audiences.Audience | None, int, int], int]


@dataclass(frozen=True)
class Withdrawal:
    """Withdraws a room's objects in batches. The present visibility counts: if it was widened
    meanwhile, the rest is not withdrawn, unless `is_final`: then nobody would repeat the objects.
    """

    name: str
    withdraw: WithdrawBatch
    is_final: bool = False

    @property
    def kind(self) -> BatchedWriteKind:
        return BatchedWriteKind(self.name, self._write_batch)

    def start(self, work: UnitOfWork, event: AudienceNarrowed) -> None:
        """Handler of `AudienceNarrowed`: hide everything, and withdraw the first batch."""
        batched_writes.start(work, self.kind, str(event.project_id))

    def _write_batch(self, work: UnitOfWork, row: BatchedWrite) -> bool:
        project = work.session.get(Project, int(row.subject))
        if project is None or not (self.is_final or _is_narrowed(project)):
            return False
        audience = project.effective_visibility.audience
        row.position = self.withdraw(work, project, audience, row.position, BATCH_SIZE)
        return row.position > 0


def _is_narrowed(project: Project) -> bool:
    """Whether fewer people may see the project. For another council's project only a deletion
    counts.
    """
    is_for_fewer = project.is_local and project.visibility is not Visibility.public
    return project.state is ProjectState.deleted or is_for_fewer
