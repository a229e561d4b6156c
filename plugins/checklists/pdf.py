"""A report as a PDF. Its library is large: this module is imported where somebody asks for one.

The letters are of Source Sans Pro (SIL Open Font License 1.1), which has ŵ and ŷ.
"""

from pathlib import Path

import font_source_sans_pro
from flask_babel import format_date
from flask_babel import gettext as _
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.prefs import ViewerPreferences

from plugins.checklists import names
from plugins.checklists.report import ReportEntry, RunReport

FONT = "Source Sans Pro"
FOLDER = Path(font_source_sans_pro.font_directory)
FONT_FILES = {"": FOLDER / "SourceSansPro-Regular.ttf", "B": FOLDER / "SourceSansPro-Bold.ttf"}
BODY_SIZE, SMALL_SIZE = 11, 9
MARGIN, LINE_HEIGHT = 20, 5.5
GREY = 80
PDF_LANGUAGES = {"en": "en-GB", "cy": "cy"}


class _ReportDocument(FPDF):
    """Pages in one font, each with its number at the foot."""

    document_title = ""

    def footer(self) -> None:
        self.set_y(-15)
        self.set_font(FONT, size=SMALL_SIZE)
        self.set_text_color(GREY)
        text = _("%(title)s, page %(number)s", title=self.document_title, number=self.page_no())
        self.cell(0, LINE_HEIGHT, text[:150])
        self.set_text_color(0)

    def paragraph(
        self, text: str, *, size: float = BODY_SIZE, style: str = "", after: float = 1
    ) -> None:
        """A paragraph."""
        self.set_font(FONT, style, size)
        self.multi_cell(
            0, LINE_HEIGHT * size / BODY_SIZE, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )
        self.ln(after)

    def heading(self, text: str, size: float, level: int) -> None:
        """A heading, which readers find in the outline of the document."""
        if self.will_page_break(25):
            self.add_page()
        self.start_section(text[:200], level)
        self.paragraph(text, size=size, style="B")


def render_pdf(report: RunReport, language: str) -> bytes:
    """The document, in the language of whoever asks, as far as the checklist is there in it."""
    checklist = report.checklist
    title = f"{checklist.title.in_language(language)}: {report.title}"
    pages = _create_document(title, report.council, language)
    pages.paragraph(report.title, size=13, after=0)
    pages.heading(checklist.title.in_language(language), 22, 0)
    pages.paragraph(report.council)
    pages.paragraph(_progress_text(report))
    if report.includes_private:
        pages.paragraph(_("Includes notes and names. For your council only."), style="B")
    for section, entries in report.sections:
        pages.ln(3)
        pages.heading(section.title.in_language(language), 15, 1)
        for entry in entries:
            _write_entry(pages, entry, language)
    if report.advice:
        pages.ln(3)
        pages.heading(_("Further recommendations"), 15, 1)
        for advice in report.advice:
            pages.paragraph(advice.text.in_language(language))
    pages.ln(3)
    pages.set_text_color(GREY)
    pages.paragraph(_source_text(report), size=SMALL_SIZE)
    return bytes(pages.output())


def _create_document(title: str, author: str, language: str) -> _ReportDocument:
    pages = _ReportDocument(format="A4")
    for style, path in FONT_FILES.items():
        pages.add_font(FONT, style, path)
    pages.document_title = title
    pages.set_title(title)
    pages.set_author(author)
    pages.set_lang(PDF_LANGUAGES[language])
    pages.set_creator("Moothall")
    pages.set_margins(MARGIN, MARGIN)
    pages.set_auto_page_break(True, MARGIN)
    pages.viewer_preferences = ViewerPreferences(display_doc_title=True)
    pages.add_page()
    return pages


def _progress_text(report: RunReport) -> str:
    progress = report.progress
    counts = _(
        "%(answered)s of %(total)s answered", answered=progress.answered, total=progress.total
    )
    if report.finished_at is None:
        return f"{counts}. {_('Not finished yet.')}"
    day = format_date(report.finished_at, "d MMMM y")
    return f"{counts}. {_('Finished')} {day}."


def _write_entry(pages: _ReportDocument, entry: ReportEntry, language: str) -> None:
    if pages.will_page_break(25):
        pages.add_page()
    pages.paragraph(entry.question.text.in_language(language), style="B", after=0)
    answer = names.answer(entry.question, entry.answer, language) if entry.answer else ""
    pages.paragraph(answer or _("Not answered"))
    if entry.note:
        pages.paragraph(entry.note)
    for each in entry.evidence:
        pages.set_text_color(0, 60, 120)
        pages.set_font(FONT, size=BODY_SIZE)
        pages.multi_cell(
            0,
            LINE_HEIGHT,
            each.title or each.url,
            link=each.url,
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )
        pages.set_text_color(0)
    if entry.needs_recommendation:
        pages.paragraph(
            f"{_('Recommendation')}: {entry.question.recommendation.in_language(language)}"
        )
    if entry.action:
        state = _("Done") if entry.action == "done" else _("To do")
        due = format_date(entry.due_on, "d MMMM y") if entry.due_on else ""
        pages.paragraph(". ".join(part for part in (state, entry.plan, entry.owner, due) if part))
    pages.ln(2)


def _source_text(report: RunReport) -> str:
    source = report.checklist.source
    made = [source.title, source.publisher, source.published, source.url]
    return f"{_('Based on')} {', '.join(part for part in made if part)}."
