"""Who may see which run: as the project that it is about, and before it is finished only those of
our council who may answer.
"""

from dataclasses import dataclass

from flask import has_request_context

from node import api
from node.api import GoneError, NotFoundError, ProjectView, Work, msg
from plugins.checklists import runs
from plugins.checklists.models import COUNCIL, FINISHED, PROJECT, Run

PLUGIN = "checklists"
ANSWER, DEFINE, SHARE = "checklists.answer", "checklists.define", "checklists.share"


@dataclass(frozen=True)
class VisibleRun:
    """What a run is about, for whoever reads: a project they may see, or what it was called."""

    run: Run
    project: ProjectView | None
    council_name: str

    @property
    def title(self) -> str:
        if self.project is not None:
            return self.project.title
        return self.council_name if self.run.scope == COUNCIL else self.run.title


def get_run(work: Work, token: str) -> VisibleRun:
    """A run that whoever asks may see. Raises `NotFoundError`."""
    found = get_visible(work, runs.get_by_token(work.session, token))
    if found is None:
        raise NotFoundError(msg("There is no such assessment."))
    return found


def get_visible(work: Work, found: Run) -> VisibleRun | None:
    """None where whoever asks may not see it."""
    if not can_read(found):
        return None
    project = _project(work, found.about) if found.scope == PROJECT else None
    if found.scope == PROJECT and project is None:
        return None
    return VisibleRun(found, project, api.council(work).name)


def _project(work: Work, uri: str) -> ProjectView | None:
    """A draft of ours too, for those who may see it."""
    found = api.project_by_uri(work, uri)
    if found is None and has_request_context():
        try:
            found = api.project(uri.rpartition("/")[2])
        except (NotFoundError, GoneError):
            return None
    return found if found is not None and found.uri == uri else None


def can_read(found: Run) -> bool:
    """Whether whoever asks may read it, if they may see the project that it is about."""
    return api.has_permission(ANSWER) or (found.state == FINISHED and found.scope == PROJECT)
