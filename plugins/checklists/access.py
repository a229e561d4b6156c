"""Decides who can see a run.

A run about a project is visible to those who can see the project, once it is finished. Before that,
and for runs about a service or the council, it takes the permission to answer.
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
    """A run that the viewer can see, with its project if it is about one."""

    run: Run
    project: ProjectView | None
    council_name: str

    @property
    def title(self) -> str:
        if self.project is not None:
            return self.project.title
        return self.council_name if self.run.scope == COUNCIL else self.run.title


def get_run(work: Work, token: str) -> VisibleRun:
    """The run with this token. Raises `NotFoundError` unless the viewer can see it."""
    subject = get_visible(work, runs.get_by_token(work.session, token))
    if subject is None:
        raise NotFoundError(msg("Assessment not found."))
    return subject


def get_visible(work: Work, run: Run) -> VisibleRun | None:
    """The run with its project, or None if the viewer cannot see it."""
    if not can_read(run):
        return None
    project = _project(work, run.about) if run.scope == PROJECT else None
    if run.scope == PROJECT and project is None:
        return None
    return VisibleRun(run, project, api.council(work).name)


def _project(work: Work, uri: str) -> ProjectView | None:
    """The project with this id, also a draft of our council, if the viewer can see it."""
    project = api.project_by_uri(work, uri)
    if project is None and has_request_context():
        try:
            project = api.project(uri.rpartition("/")[2])
        except (NotFoundError, GoneError):
            return None
    return project if project is not None and project.uri == uri else None


def can_read(run: Run) -> bool:
    """Whether the viewer can read a run, provided that they can see its project."""
    return api.has_permission(ANSWER) or (run.state == FINISHED and run.scope == PROJECT)
