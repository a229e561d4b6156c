"""A digest in words: in the language of whoever gets it, as text and as HTML."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Flask
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from markupsafe import Markup

from node import markup
from node.councils import service as councils
from node.events.kinds import NotificationKind
from node.languages import LOCALES
from node.notifications import sentences
from node.notifications.email_digests import EmailDigest, RenderedDigest
from node.notifications.preferences import MailFrequency
from node.notifications.service import NotificationDetails
from node.projects.models import Project, ProjectState
from node.runtime import Node

# Of an update as much as this is in the e-mail; the rest is where the link leads.
MAX_LEN_HTML, MAX_LEN_TEXT = 8_000, 2_000


@dataclass(frozen=True)
class DigestLine:
    """One notice: its sentence with and without marks, its address, and the update's own words."""

    sentence: Markup
    plain: str
    url: str
    html: Markup
    text: str
    language: str


@dataclass
class DigestSection:
    """What is told of one project; `project` is None for what is about none."""

    project: Project | None
    lines: list[DigestLine] = field(default_factory=list)


class DigestWriter:
    """Writes outside requests, with the templates and translations of `app`."""

    def __init__(self, app: Flask, node: Node) -> None:
        self._app = app
        self._node = node

    def __call__(self, digest: EmailDigest) -> RenderedDigest:
        base_url = self._node.settings.base_url
        with (
            self._app.test_request_context(base_url=base_url),
            force_locale(LOCALES[digest.language]),
        ):
            sections = self._group_by_project(digest.notifications)
            with self._node.reading() as session:
                council = councils.require_own(session).name
            values = {
                "digest": digest,
                "sections": sections,
                "council": council,
                "base_url": base_url,
                "notices_url": f"{base_url}/notices",
                "choices_url": f"{base_url}/notices/choices",
                "why": _explain_frequency(digest.way),
            }
            # Not by `render_template`: the frame of a page has no place here.
            text = self._app.jinja_env.get_template("notices/digest.txt").render(values)
            html = self._app.jinja_env.get_template("notices/digest.html").render(values)
            return RenderedDigest(_subject(sections, digest, council), text.strip() + "\n", html)

    def _group_by_project(self, told: list[NotificationDetails]) -> list[DigestSection]:
        """Each project once, in the order in which something happened first."""
        found: dict[int | None, DigestSection] = {}
        for one in told:
            is_there = one.project is not None and one.project.state is not ProjectState.deleted
            project = one.project if is_there else None
            section = found.setdefault(project.id if project else None, DigestSection(project))
            section.lines.append(
                _build_line(self._node.notification_kinds, one, self._node.settings.base_url)
            )
        return list(found.values())


def _build_line(
    kinds: Mapping[str, NotificationKind], told: NotificationDetails, base_url: str
) -> DigestLine:
    update = told.update
    content = update.content if update else ""
    text = markup.html_to_text(content)
    if len(text) > MAX_LEN_TEXT:
        text = text[:MAX_LEN_TEXT].rsplit(maxsplit=1)[0] + " …"
    html = Markup(content)  # noqa: S704 -- it was sanitised when it came
    if len(content) > MAX_LEN_HTML:
        html = Markup("<p>{}</p>").format(text)
    return DigestLine(
        sentences.render_sentence(kinds, told),
        sentences.render_plain_text(kinds, told),
        base_url + told.path if told.path else "",
        html,
        text,
        update.language if update else "en",
    )


def _subject(sections: list[DigestSection], digest: EmailDigest, council: str) -> str:
    lines = [line for section in sections for line in section.lines]
    if len(lines) == 1 and not digest.more:
        return lines[0].plain
    number = len(lines) + digest.more
    return str(
        ngettext(
            "%(num)s notification from Moothall at %(council)s",
            "%(num)s notifications from Moothall at %(council)s",
            number,
            council=council,
        )
    )


def _explain_frequency(way: MailFrequency) -> str:
    """Why somebody gets this."""
    reasons: dict[MailFrequency, str] = {
        MailFrequency.once: _(
            "You get this email because you chose to get these notifications straight away."
        ),
        MailFrequency.daily: _("You get this email every morning when there is something new."),
        MailFrequency.weekly: _("You get this email every Monday when there is something new."),
    }
    return reasons[way]
