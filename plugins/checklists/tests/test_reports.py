"""The report of a run, on paper and as a PDF with Welsh letters."""

import subprocess
import sys

import pytest
from fontTools.ttLib import TTFont

from node.testing.nodes import TestNode
from node.testing.visitor import Visitor
from plugins.checklists.tests.conftest import AssessmentPage, begin_for_project, publish


@pytest.fixture(scope="module")
def run(officer: Visitor) -> AssessmentPage:
    run = begin_for_project(officer, publish(officer, "Tŷ a dŵr"))
    run.answer("q1", "yes", note="Y nodyn: ŵ ŷ Ŵ Ŷ")
    run.answer_all("no", "q2")
    run.answer_all("yes", "q3", "q4", "q5")
    run.finish()
    return run


def test_report_is_complete_and_has_print_stylesheet(run: AssessmentPage) -> None:
    page = run.visitor.visit(f"{run.path}/report").text
    for text in ("Tŷ a dŵr", "Does it help to fix the plumbing?", "Recommendation", "Y nodyn"):
        assert text in page
    css = page.partition('media="print" href="')[2].partition('"')[0]
    with run.visitor.client.get(css) as style:
        assert b"display: none" in style.data


def test_pdf_has_title_language_and_welsh_letters(run: AssessmentPage) -> None:
    response = run.visitor.visit(f"{run.path}/report.pdf?lang=cy")
    assert response.mimetype == "application/pdf"
    assert response.data.startswith(b"%PDF-")
    assert b"/Lang (cy)" in response.data
    title = "Datganiad Digidol Lleol: Tŷ a dŵr"
    assert title.encode("utf-16-be").hex().encode() in response.data.lower()
    run.visitor.visit("/?lang=en")


def test_pdf_for_visitors_has_no_notes_and_names(council: TestNode, run: AssessmentPage) -> None:
    complete_size = len(run.visitor.visit(f"{run.path}/report.pdf").data)
    response = council.visitor().visit(f"{run.path}/report.pdf")
    assert response.mimetype == "application/pdf"
    assert len(response.data) < complete_size


def test_font_has_welsh_letters() -> None:
    from plugins.checklists import pdf  # noqa: PLC0415 -- as the node does

    for path in pdf.FONT_FILES.values():
        assert set(map(ord, "ŵŷŴŶâêîôûïäëö")) <= TTFont(path).getBestCmap().keys()


def test_pdf_library_is_not_loaded_at_start() -> None:
    code = "import plugins.checklists.plugin, sys; print('fpdf' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert result.stdout.strip() == b"False"
