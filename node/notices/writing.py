"""A digest in words: in the language of whoever gets it, as text and as HTML."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Flask
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from markupsafe import Markup

from node import markup
from node.councils import service as councils
from node.languages import LOCALES
from node.news.kinds import Kind
from node.notices import wording
from node.notices.choices import Way
from node.notices.digests import Digest, Written
from node.notices.service import Told
from node.projects.models import Project, State
from node.runtime import Node

# Of an update as much as this is in the e-mail; the rest is where the link leads.
LONGEST_HTML, LONGEST_TEXT = 8_000, 2_000


@dataclass(frozen=True)
class Line:
    """One notice: its sentence with and without marks, its address, and the update's own words."""

    said: Markup
    plain: str
    url: str
    html: Markup
    text: str
    language: str


@dataclass
class Section:
    """What is told of one project; `project` is None for what is about none."""

    project: Project | None
    lines: list[Line] = field(default_factory=list)


class DigestWriter:
    """Writes outside requests, with the templates and translations of `app`."""

    def __init__(self, app: Flask, node: Node) -> None:
        self._app = app
        self._node = node

    def __call__(self, digest: Digest) -> Written:
        base_url = self._node.settings.base_url
        with (
            self._app.test_request_context(base_url=base_url),
            force_locale(LOCALES[digest.language]),
        ):
            sections = self._sections(digest.told)
            with self._node.reading() as session:
                council = councils.require_own(session).name
            values = {
                "digest": digest,
                "sections": sections,
                "council": council,
                "base_url": base_url,
                "notices_url": f"{base_url}/notices",
                "choices_url": f"{base_url}/notices/choices",
                "why": _why(digest.way),
            }
            # Not by `render_template`: the frame of a page has no place here.
            text = self._app.jinja_env.get_template("notices/digest.txt").render(values)
            html = self._app.jinja_env.get_template("notices/digest.html").render(values)
            return Written(_subject(sections, digest, council), text.strip() + "\n", html)

    def _sections(self, told: list[Told]) -> list[Section]:
        """Each project once, in the order in which something happened first."""
        found: dict[int | None, Section] = {}
        for one in told:
            is_there = one.project is not None and one.project.state is not State.deleted
            project = one.project if is_there else None
            section = found.setdefault(project.id if project else None, Section(project))
            section.lines.append(_line(self._node.kinds, one, self._node.settings.base_url))
        return list(found.values())


def _line(kinds: Mapping[str, Kind], told: Told, base_url: str) -> Line:
    update = told.update
    content = update.content if update else ""
    text = markup.to_text(content)
    if len(text) > LONGEST_TEXT:
        text = text[:LONGEST_TEXT].rsplit(maxsplit=1)[0] + " …"
    html = Markup(content)  # noqa: S704 -- it was sanitised when it came
    if len(content) > LONGEST_HTML:
        html = Markup("<p>{}</p>").format(text)
    return Line(
        wording.sentence(kinds, told),
        wording.plain(kinds, told),
        base_url + told.path if told.path else "",
        html,
        text,
        update.language if update else "en",
    )


def _subject(sections: list[Section], digest: Digest, council: str) -> str:
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


def _why(way: Way) -> str:
    """Why somebody gets this."""
    reasons: dict[Way, str] = {
        Way.once: _(
            "You get this email because you chose to get these notifications straight away."
        ),
        Way.daily: _("You get this email every morning when there is something new."),
        Way.weekly: _("You get this email every Monday when there is something new."),
    }
    return reasons[way]
