"""Renders a report as a PDF. Import this module only when a PDF is requested: fpdf2 is large.

The font is Source Sans Pro (SIL Open Font License 1.1), which has the Welsh letters ŵ and ŷ.
"""

from pathlib import Path

import font_source_sans_pro
from flask_babel import format_date
from flask_babel import gettext as _
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.prefs import ViewerPreferences

from plugins.checklists import labels
from plugins.checklists.report import AssessmentReport, ReportEntry

FONT = "Source Sans Pro"
FONT_FOLDER = Path(font_source_sans_pro.font_directory)
FONT_FILES = {
    "": FONT_FOLDER / "SourceSansPro-Regular.ttf",
    "B": FONT_FOLDER / "SourceSansPro-Bold.ttf",
}
BODY_SIZE, SMALL_SIZE = 11, 9
MARGIN, LINE_HEIGHT = 20, 5.5
TEXT_GREY = 80
PDF_LANGUAGES = {"en": "en-GB", "cy": "cy"}


class _ReportDocument(FPDF):
    """A document in one font, with title and page number in the footer."""

    document_title = ""

    def footer(self) -> None:
        self.set_y(-15)
        self.set_font(FONT, size=SMALL_SIZE)
        self.set_text_color(TEXT_GREY)
        text = _("%(title)s, page %(number)s", title=self.document_title, number=self.page_no())
        self.cell(0, LINE_HEIGHT, text[:150])
        self.set_text_color(0)

    def paragraph(
        self, text: str, *, size: float = BODY_SIZE, style: str = "", space_below: float = 1
    ) -> None:
        """Write a paragraph; `space_below` is the space below it in millimetres."""
        self.set_font(FONT, style, size)
        self.multi_cell(
            0, LINE_HEIGHT * size / BODY_SIZE, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )
        self.ln(space_below)

    def heading(self, text: str, size: float, level: int) -> None:
        """Write a heading that also appears in the outline of the document."""
        if self.will_page_break(25):
            self.add_page()
        self.start_section(text[:200], level)
        self.paragraph(text, size=size, style="B")


def render_pdf(report: AssessmentReport, language: str) -> bytes:
    """A report as a PDF, in this language as far as the checklist is translated."""
    checklist = report.checklist
    title = f"{checklist.title.in_language(language)}: {report.title}"
    document = _create_document(title, report.council, language)
    document.paragraph(report.title, size=13, space_below=0)
    document.heading(checklist.title.in_language(language), 22, 0)
    document.paragraph(report.council)
    document.paragraph(_progress_text(report))
    if report.includes_private:
        document.paragraph(_("Includes notes and names. For your council only."), style="B")
    for section, entries in report.sections:
        document.ln(3)
        document.heading(section.title.in_language(language), 15, 1)
        for entry in entries:
            _write_entry(document, entry, language)
    if report.advice:
        document.ln(3)
        document.heading(_("Further recommendations"), 15, 1)
        for advice in report.advice:
            document.paragraph(advice.text.in_language(language))
    document.ln(3)
    document.set_text_color(TEXT_GREY)
    document.paragraph(_source_text(report), size=SMALL_SIZE)
    return bytes(document.output())


def _create_document(title: str, author: str, language: str) -> _ReportDocument:
    document = _ReportDocument(format="A4")
    for style, path in FONT_FILES.items():
        document.add_font(FONT, style, path)
    document.document_title = title
    document.set_title(title)
    document.set_author(author)
    document.set_lang(PDF_LANGUAGES[language])
    document.set_creator("Moothall")
    document.set_margins(MARGIN, MARGIN)
    document.set_auto_page_break(True, MARGIN)
    document.viewer_preferences = ViewerPreferences(display_doc_title=True)
    document.add_page()
    return document


def _progress_text(report: AssessmentReport) -> str:
    progress = report.progress
    counts = _(
        "%(answered)s of %(total)s answered", answered=progress.answered, total=progress.total
    )
    if report.finished_at is None:
        return f"{counts}. {_('Not finished yet.')}"
    day = format_date(report.finished_at, "d MMMM y")
    return f"{counts}. {_('Finished')} {day}."


def _write_entry(document: _ReportDocument, entry: ReportEntry, language: str) -> None:
    if document.will_page_break(25):
        document.add_page()
    document.paragraph(entry.question.text.in_language(language), style="B", space_below=0)
    answer = labels.answer(entry.question, entry.answer, language) if entry.answer else ""
    document.paragraph(answer or _("Not answered"))
    if entry.note:
        document.paragraph(entry.note)
    for link in entry.evidence:
        document.set_text_color(0, 60, 120)
        document.set_font(FONT, size=BODY_SIZE)
        document.multi_cell(
            0,
            LINE_HEIGHT,
            link.title or link.url,
            link=link.url,
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )
        document.set_text_color(0)
    if entry.needs_recommendation:
        document.paragraph(
            f"{_('Recommendation')}: {entry.question.recommendation.in_language(language)}"
        )
    if entry.action:
        state = _("Done") if entry.action == "done" else _("To do")
        due = format_date(entry.due_on, "d MMMM y") if entry.due_on else ""
        document.paragraph(
            ". ".join(part for part in (state, entry.plan, entry.owner, due) if part)
        )
    document.ln(2)


def _source_text(report: AssessmentReport) -> str:
    source = report.checklist.source
    parts = [source.title, source.publisher, source.published, source.url]
    return f"{_('Based on')} {', '.join(part for part in parts if part)}."
