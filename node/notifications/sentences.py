"""Words notifications in the reader's language; titles keep their own language."""

from collections.abc import Mapping

import structlog
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from node.notification_kinds import NotificationKind, Topic
from node.notifications.preferences import MailFrequency
from node.notifications.service import NotificationDetails
from node.projects.forms import PHASE_LABELS
from node.text import one_line

log = structlog.get_logger(__name__)

TOPIC_LABELS = {
    Topic.own: _l("Projects you own"),
    Topic.asked: _l("Requests for you"),
    Topic.updates: _l("Updates about things you follow"),
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
    """Values for the placeholders of a sentence, with a neutral word for each missing one."""

    def __missing__(self, name: str) -> str:
        defaults = {"who": _("Someone"), "council": _("A council")}
        return str(defaults.get(name, "…"))


def render_sentence(kinds: Mapping[str, NotificationKind], details: NotificationDetails) -> Markup:
    """What happened, as HTML, with the project's title in its language. The event's own details
    take precedence over values from the project and the comment.
    """
    values = SentenceValues(project=_project_title(details))
    if details.project is not None:
        values["council"] = details.project.council.name
    if details.comment is not None and (name := one_line(details.comment.author.name, 200)):
        values["who"] = name
    values.update(
        {name: value for name, value in details.notification.happening.details.items() if value}
    )
    if "phase" in values:
        values["phase"] = str(PHASE_LABELS[values["phase"]])
    sentence = str(kinds[details.notification.happening.kind].sentence)
    try:
        return Markup(sentence) % values  # noqa: S704 -- ours, or a plugin's
    except (TypeError, ValueError):  # the sentence has unexpected placeholders
        log.exception(
            "notification sentence not rendered", kind=details.notification.happening.kind
        )
        return Markup(sentence)  # noqa: S704 -- as above


def render_plain_text(kinds: Mapping[str, NotificationKind], details: NotificationDetails) -> str:
    """What happened, as plain text on one line."""
    return one_line(render_sentence(kinds, details).striptags(), 1_000)


def _project_title(details: NotificationDetails) -> str:
    project = details.project
    if project is None or not project.title:
        return str(_("a project"))
    return Markup('<span lang="{}">{}</span>').format(project.language, project.title)
