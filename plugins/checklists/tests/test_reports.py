"""A run as a report: on paper, and as a PDF that says ŵ and ŷ."""

import subprocess
import sys

import pytest
from fontTools.ttLib import TTFont

from node.testing.nodes import TestNode
from node.testing.visitor import Visitor
from plugins.checklists.tests.conftest import Running, of_project, publish


@pytest.fixture(scope="module")
def run(officer: Visitor) -> Running:
    run = of_project(officer, publish(officer, "Tŷ a dŵr"))
    run.answer("q1", "yes", note="Y nodyn: ŵ ŷ Ŵ Ŷ")
    run.answer_all("no", "q2")
    run.answer_all("yes", "q3", "q4", "q5")
    run.finish()
    return run


def test_a_report_has_everything_and_a_stylesheet_for_paper(run: Running) -> None:
    page = run.who.visit(f"{run.path}/report").text
    for said in ("Tŷ a dŵr", "Does it help to fix the plumbing?", "Recommendation", "Y nodyn"):
        assert said in page
    css = page.partition('media="print" href="')[2].partition('"')[0]
    with run.who.client.get(css) as style:
        assert b"display: none" in style.data


def test_a_report_is_a_pdf_with_title_language_and_welsh_letters(run: Running) -> None:
    answer = run.who.visit(f"{run.path}/report.pdf?lang=cy")
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF-")
    assert b"/Lang (cy)" in answer.data
    title = "Datganiad Digidol Lleol: Tŷ a dŵr"
    assert title.encode("utf-16-be").hex().encode() in answer.data.lower()
    run.who.visit("/?lang=en")


def test_others_get_a_pdf_without_notes_and_names(council: TestNode, run: Running) -> None:
    own = len(run.who.visit(f"{run.path}/report.pdf").data)
    theirs = council.visitor().visit(f"{run.path}/report.pdf")
    assert theirs.mimetype == "application/pdf"
    assert len(theirs.data) < own


def test_the_font_has_the_letters_of_welsh() -> None:
    from plugins.checklists import pdf  # noqa: PLC0415 -- as the node does

    for path in pdf.FONT_FILES.values():
        assert set(map(ord, "ŵŷŴŶâêîôûïäëö")) <= TTFont(path).getBestCmap().keys()


def test_the_library_is_loaded_where_a_pdf_is_asked_for_and_not_before() -> None:
    code = "import plugins.checklists.plugin, sys; print('fpdf' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert found.stdout.strip() == b"False"
