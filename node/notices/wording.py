"""A notice in words: in the reader's language, with what people wrote in its own."""

from collections.abc import Mapping

import structlog
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from node.news.kinds import Kind, Topic
from node.notices.choices import Way
from node.notices.service import Told
from node.projects.forms import PHASES
from node.text import one_line

log = structlog.get_logger(__name__)

TOPICS = {
    Topic.own: _l("Projects you own"),
    Topic.asked: _l("Requests for you"),
    Topic.updates: _l("Updates on things you follow"),
    Topic.projects: _l("New projects and new phases in things you follow"),
    Topic.searches: _l("New results for your saved searches"),
}
WAYS = {
    Way.app: _l("On this site only"),
    Way.once: _l("On this site and by email straight away"),
    Way.daily: _l("On this site and in an email every morning"),
    Way.weekly: _l("On this site and in an email every Monday"),
    Way.nothing: _l("Not at all"),
}


class Words(dict[str, str]):
    """What a sentence is filled in with. A word that nobody gave does not stop anybody reading."""

    def __missing__(self, name: str) -> str:
        others = {"who": _("Someone"), "council": _("A council")}
        return str(others.get(name, "…"))


def sentence(kinds: Mapping[str, Kind], told: Told) -> Markup:
    """What happened, with the project's name in its language. Words that its kind came with count
    for more than what is known of the project and the comment.
    """
    words = Words(project=_titled(told))
    if told.project is not None:
        words["council"] = told.project.council.name
    if told.comment is not None and (name := one_line(told.comment.author.name, 200)):
        words["who"] = name
    words.update({name: word for name, word in told.notice.happening.details.items() if word})
    if "phase" in words:
        words["phase"] = str(PHASES[words["phase"]])
    happened = str(kinds[told.notice.happening.kind].sentence)
    try:
        return Markup(happened) % words  # noqa: S704 -- ours, or a plugin's
    except (TypeError, ValueError):  # no sentence to be filled in
        log.exception("a notification cannot be worded", kind=told.notice.happening.kind)
        return Markup(happened)  # noqa: S704 -- as above


def plain(kinds: Mapping[str, Kind], told: Told) -> str:
    """The same without marks."""
    return one_line(sentence(kinds, told).striptags(), 1_000)


def _titled(told: Told) -> str:
    project = told.project
    if project is None or not project.title:
        return str(_("a project"))
    return Markup('<span lang="{}">{}</span>').format(project.language, project.title)
