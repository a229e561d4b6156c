"""The licences under which councils publish the text of their projects. Pure."""

from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from node.access.visibility import Visibility
from node.projects.details import is_web_url
from node.projects.models import Project
from node.settings import Settings


@dataclass(frozen=True)
class Licence:
    """`name` is in the language of the page, or the URL for a licence that we have no name for;
    `url` leads to its text.
    """

    name: LazyString | str
    url: str


# By SPDX identifier: the choices of the setting `content_licence`.
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
    """The licence of the text of `project` and of its updates.

    None for a project that is not public, which no one may republish, and for another council's
    that states none.
    """
    if project.effective_visibility is not Visibility.public:
        return None
    if project.is_local:
        return LICENCES[settings.content_licence]
    return _from_url(project.licence) if project.licence else None


def parse_licence(licence: str | None) -> str | None:
    """The URL of the licence that a remote document names by URL or by a known SPDX identifier;
    else None.
    """
    if licence is None or is_web_url(licence):
        return licence
    return LICENCES[licence].url if licence in LICENCES else None


def _from_url(url: str) -> Licence:
    names = (
        licence.name
        for licence in LICENCES.values()
        if _normalise_url(licence.url) == _normalise_url(url)
    )
    return Licence(next(names, url), url)


def _normalise_url(url: str) -> str:
    """A URL without scheme, trailing slash and case, for comparison."""
    return url.partition("://")[2].rstrip("/").casefold()


def licence_url(settings: Settings, project: Project) -> str | None:
    """The URL of the licence of `project`, for machine-readable documents."""
    licence = licence_of(settings, project)
    return licence.url if licence else None
