"""A notice in words: in the reader's language, with what people wrote in its own."""

from collections.abc import Mapping

import structlog
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from node.events.kinds import NotificationKind, Topic
from node.notifications.preferences import MailFrequency
from node.notifications.service import NotificationDetails
from node.projects.forms import PHASE_LABELS
from node.text import one_line

log = structlog.get_logger(__name__)

TOPIC_LABELS = {
    Topic.own: _l("Projects you own"),
    Topic.asked: _l("Requests for you"),
    Topic.updates: _l("Updates on things you follow"),
    Topic.projects: _l("New projects and new phases in things you follow"),
    Topic.searches: _l("New results for your saved searches"),
}
FREQUENCY_LABELS = {
    MailFrequency.app: _l("On this site only"),
    MailFrequency.once: _l("On this site and by email straight away"),
    MailFrequency.daily: _l("On this site and in an email every morning"),
    MailFrequency.weekly: _l("On this site and in an email every Monday"),
    MailFrequency.nothing: _l("Not at all"),
}


class SentenceValues(dict[str, str]):
    """What a sentence is filled in with. A word that nobody gave does not stop anybody reading."""

    def __missing__(self, name: str) -> str:
        others = {"who": _("Someone"), "council": _("A council")}
        return str(others.get(name, "…"))


def render_sentence(kinds: Mapping[str, NotificationKind], told: NotificationDetails) -> Markup:
    """What happened, with the project's name in its language. Words that its kind came with count
    for more than what is known of the project and the comment.
    """
    words = SentenceValues(project=_project_title(told))
    if told.project is not None:
        words["council"] = told.project.council.name
    if told.comment is not None and (name := one_line(told.comment.author.name, 200)):
        words["who"] = name
    words.update({name: word for name, word in told.notification.happening.details.items() if word})
    if "phase" in words:
        words["phase"] = str(PHASE_LABELS[words["phase"]])
    happened = str(kinds[told.notification.happening.kind].sentence)
    try:
        return Markup(happened) % words  # noqa: S704 -- ours, or a plugin's
    except (TypeError, ValueError):  # no sentence to be filled in
        log.exception("a notification cannot be worded", kind=told.notification.happening.kind)
        return Markup(happened)  # noqa: S704 -- as above


def render_plain_text(kinds: Mapping[str, NotificationKind], told: NotificationDetails) -> str:
    """The same without marks."""
    return one_line(render_sentence(kinds, told).striptags(), 1_000)


def _project_title(told: NotificationDetails) -> str:
    project = told.project
    if project is None or not project.title:
        return str(_("a project"))
    return Markup('<span lang="{}">{}</span>').format(project.language, project.title)
