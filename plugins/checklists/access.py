"""Decides who can see a run.

A run about a project is visible to those who can see the project, once it is finished. Before that,
and for runs about a service or the council, it takes the permission to answer.
"""

from dataclasses import dataclass

from flask import has_request_context

from node import api
from node.api import GoneError, NotFoundError, ProjectInfo, Work, msg
from plugins.checklists import assessments
from plugins.checklists.models import COUNCIL, FINISHED, PROJECT, Assessment

PLUGIN = "checklists"
ANSWER, DEFINE, SHARE = "checklists.answer", "checklists.define", "checklists.share"


@dataclass(frozen=True)
class VisibleAssessment:
    """A run that the viewer can see, with its project if it is about one."""

    assessment: Assessment
    project: ProjectInfo | None
    council_name: str

    @property
    def title(self) -> str:
        if self.project is not None:
            return self.project.title
        return self.council_name if self.assessment.scope == COUNCIL else self.assessment.title


def get_assessment(work: Work, token: str) -> VisibleAssessment:
    """The run with this token. Raises `NotFoundError` unless the viewer can see it."""
    subject = get_visible(work, assessments.get_by_token(work.session, token))
    if subject is None:
        raise NotFoundError(msg("Assessment not found."))
    return subject


def get_visible(work: Work, assessment: Assessment) -> VisibleAssessment | None:
    """The run with its project, or None if the viewer cannot see it."""
    if not can_read(assessment):
        return None
    project = _find_project(work, assessment.about) if assessment.scope == PROJECT else None
    if assessment.scope == PROJECT and project is None:
        return None
    return VisibleAssessment(assessment, project, api.council(work).name)


def _find_project(work: Work, uri: str) -> ProjectInfo | None:
    """The project with this id, also a draft of our council, if the viewer can see it."""
    project = api.project_by_uri(work, uri)
    if project is None and has_request_context():
        try:
            project = api.project(uri.rpartition("/")[2])
        except (NotFoundError, GoneError):
            return None
    return project if project is not None and project.uri == uri else None


def can_read(assessment: Assessment) -> bool:
    """Whether the viewer can read a run, provided that they can see its project."""
    return api.has_permission(ANSWER) or (
        assessment.state == FINISHED and assessment.scope == PROJECT
    )
