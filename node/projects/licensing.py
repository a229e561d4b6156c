"""The licence under which a council publishes the texts of its projects. Pure."""

from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from node.projects.models import Project, State, Visibility
from node.settings import Settings


@dataclass(frozen=True)
class Licence:
    """`name` in the language of the page, `url` where its text is."""

    name: LazyString
    url: str


# By their SPDX identifiers, which are the choices of the setting `content_licence`.
LICENCES = {
    "OGL-UK-3.0": Licence(
        _l("Open Government Licence v3.0"),
        "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
    ),
    "CC-BY-4.0": Licence(
        _l("Creative Commons Attribution 4.0 International licence"),
        "https://creativecommons.org/licenses/by/4.0/",
    ),
    "CC0-1.0": Licence(
        _l("CC0 1.0 Universal public domain dedication"),
        "https://creativecommons.org/publicdomain/zero/1.0/",
    ),
}


def licence_of(settings: Settings, project: Project) -> Licence | None:
    """The licence of the texts of `project` and of its updates.

    None for what is not public, which nobody may pass on, and for projects of other councils, who
    choose their own.
    """
    is_public = project.visibility is Visibility.public and project.state is State.published
    return LICENCES[settings.content_licence] if project.is_local and is_public else None


def licence_url(settings: Settings, project: Project) -> str | None:
    """The address of the licence of `project`, for documents that programs read."""
    licence = licence_of(settings, project)
    return licence.url if licence else None
