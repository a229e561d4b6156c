"""Events about projects."""

from dataclasses import dataclass

from node.access.visibility import Visibility
from node.events import Event


@dataclass(frozen=True)
class ProjectEvent(Event):
    """Something that happened to a local project. `before` is its visibility before that."""

    project_id: int
    before: Visibility


class ProjectPublished(ProjectEvent):
    """A draft was published."""


class ProjectUpdated(ProjectEvent):
    """The text or the visibility of a published project was changed."""


class ProjectDeleted(ProjectEvent):
    """A published project was deleted."""


@dataclass(frozen=True)
class AudienceNarrowed(Event):
    """Fewer may see a project, local or remote, than before: updates, comments and other objects
    about it are to be withdrawn.
    """

    project_id: int
