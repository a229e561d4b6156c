"""Renders an email digest in its recipient's language, as text and as HTML."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import current_app
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from node import markup
from node.councils import service as councils
from node.notification_kinds import NotificationKind
from node.notifications import sentences
from node.notifications.email_digests import EmailDigest, RenderedDigest
from node.notifications.preferences import MailFrequency
from node.notifications.service import NotificationDetails
from node.projects.models import Project, ProjectState
from node.runtime import Node

# Characters of an update's content shown in an email; longer ones are cut, and linked.
MAX_LEN_HTML, MAX_LEN_TEXT = 8_000, 2_000


@dataclass(frozen=True)
class DigestLine:
    """One notification: its sentence as HTML and as plain text, its URL, and the update's content
    as HTML and text, with its language.
    """

    sentence: Markup
    plain: str
    url: str
    html: Markup
    text: str
    language: str


@dataclass
class DigestSection:
    """The notifications about one project; `project` is None for those about no project."""

    project: Project | None
    lines: list[DigestLine] = field(default_factory=list)


class TemplateDigestRenderer:
    """Renders digests with the templates and translations of `node`."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def __call__(self, digest: EmailDigest) -> RenderedDigest:
        base_url = self._node.settings.base_url
        with self._node.rendering(digest.language):
            sections = self._group_by_project(digest.notifications)
            with self._node.reading() as session:
                council = councils.require_own(session).name
            values = {
                "digest": digest,
                "sections": sections,
                "council": council,
                "base_url": base_url,
                "notifications_url": f"{base_url}/notices",
                "choices_url": f"{base_url}/notices/choices",
                "why": _explain_frequency(digest.frequency),
            }
            # `render_template` would add the context of pages, which emails do not need.
            text = current_app.jinja_env.get_template("notifications/digest.txt").render(values)
            html = current_app.jinja_env.get_template("notifications/digest.html").render(values)
            return RenderedDigest(_subject(sections, digest, council), text.strip() + "\n", html)

    def _group_by_project(self, notifications: list[NotificationDetails]) -> list[DigestSection]:
        """One section for each project, in the order of their first notifications."""
        sections: dict[int | None, DigestSection] = {}
        kinds, base_url = self._node.notification_kinds, self._node.settings.base_url
        for details in notifications:
            project = details.project
            if project is not None and project.state is ProjectState.deleted:
                project = None
            section = sections.setdefault(project.id if project else None, DigestSection(project))
            section.lines.append(_build_line(kinds, details, base_url))
        return list(sections.values())


def _build_line(
    kinds: Mapping[str, NotificationKind], details: NotificationDetails, base_url: str
) -> DigestLine:
    update = details.update
    content = update.content if update else ""
    text = markup.html_to_text(content)
    if len(text) > MAX_LEN_TEXT:
        text = text[:MAX_LEN_TEXT].rsplit(maxsplit=1)[0] + " …"
    html = Markup(content)  # noqa: S704 -- sanitised when it was received
    if len(content) > MAX_LEN_HTML:
        html = Markup("<p>{}</p>").format(text)
    return DigestLine(
        sentences.render_sentence(kinds, details),
        sentences.render_plain_text(kinds, details),
        base_url + details.path if details.path else "",
        html,
        text,
        update.language if update else "en",
    )


def _subject(sections: list[DigestSection], digest: EmailDigest, council: str) -> str:
    lines = [line for section in sections for line in section.lines]
    if len(lines) == 1 and not digest.more:
        return lines[0].plain
    total = len(lines) + digest.more
    return str(
        ngettext(
            "%(num)s notification from Moothall at %(council)s",
            "%(num)s notifications from Moothall at %(council)s",
            total,
            council=council,
        )
    )


def _explain_frequency(frequency: MailFrequency) -> str:
    """Why the recipient gets this email."""
    reasons: dict[MailFrequency, str] = {
        MailFrequency.once: _(
            "You are getting this email because you chose to get these notifications straight away."
        ),
        MailFrequency.daily: _("You get this email every morning when there is something new."),
        MailFrequency.weekly: _("You get this email every Monday when there is something new."),
    }
    return reasons[frequency]
