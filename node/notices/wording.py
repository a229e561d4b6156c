"""A notice in words: in the reader's language, with what people wrote in its own."""

from collections.abc import Mapping

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from node.news.kinds import Kind, Topic
from node.notices.choices import Way
from node.notices.service import Told
from node.projects.forms import PHASES
from node.projects.models import Phase
from node.text import one_line

TOPICS = {
    Topic.own: _l("Projects that you look after"),
    Topic.asked: _l("What somebody asks of you"),
    Topic.updates: _l("Updates of what you follow"),
    Topic.projects: _l("New projects and new phases in what you follow"),
    Topic.searches: _l("New matches of your saved searches"),
}
WAYS = {
    Way.app: _l("Here only"),
    Way.once: _l("Here, and by email at once"),
    Way.daily: _l("Here, and in an email each morning"),
    Way.weekly: _l("Here, and in an email each Monday"),
    Way.nothing: _l("Not at all"),
}


def sentence(kinds: Mapping[str, Kind], told: Told) -> Markup:
    """What happened, with the project's name in its language."""
    project = told.project
    values: dict[str, str] = {
        "project": _titled(told),
        "council": project.council.name if project else "",
        "who": one_line(told.comment.author.name, 200) if told.comment else "",
    }
    details = told.notice.happening.details
    if details.get("phase") in list(Phase):
        values["phase"] = str(PHASES[Phase(details["phase"])])
    return Markup(str(kinds[told.notice.happening.kind].sentence)) % (details | values)  # noqa: S704


def plain(kinds: Mapping[str, Kind], told: Told) -> str:
    """The same without marks."""
    return one_line(sentence(kinds, told).striptags(), 1_000)


def _titled(told: Told) -> str:
    project = told.project
    if project is None or not project.title:
        return str(_("a project"))
    return Markup('<span lang="{}">{}</span>').format(project.language, project.title)
