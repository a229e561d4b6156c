"""Demonstration data: answers of every council, some of them shared."""

from datetime import timedelta

from node.api import DemoView, Work, now
from plugins.checklists import access, actions, answers, library, runs, sharing
from plugins.checklists.actions import ActionPlan
from plugins.checklists.answers import AnswerInput, Evidence
from plugins.checklists.definitions.model import NO, PARTLY, YES, YES_NO_ANSWERS, Question
from plugins.checklists.models import COUNCIL, PROJECT, Run

DECLARATION, STANDARD = "local-digital-declaration", "service-standard"
NOTES = {
    PARTLY: "Two of our services do; the others follow in spring.",
    NO: "Nobody had the time for it this year.",
}
DUE_IN_DAYS = 21


def add_demo_data(demo: DemoView, work: Work) -> None:
    """Answer the declaration for the council, a year ago and now, and share the newer run; begin
    the Service Standard for its first project. Does nothing if the council has a run of the
    declaration.
    """
    council = runs.RunSubject(COUNCIL, "", demo.council.name)
    if runs.find_latest(work.session, DECLARATION, council) is not None:
        return
    declaration = library.get_newest(work.session, DECLARATION)
    offset = len(demo.council.name)
    for year in (0, 1):
        run = runs.begin_run(work, declaration, council)
        for index, question in enumerate(declaration.questions):
            _answer(demo, work, run, question, _sample_answer(index, offset, year))
        runs.finish_run(work, run)
        if not year:
            run.finished_at = now() - timedelta(days=365)
            run.changed_at = run.finished_at
            work.session.flush()
    sharing.share(work, access.VisibleRun(run, None, demo.council.name))
    if demo.projects:
        project = demo.projects[0]
        standard = library.get_newest(work.session, STANDARD)
        project_run = runs.begin_run(
            work, standard, runs.RunSubject(PROJECT, project.uri, project.title)
        )
        for index, question in enumerate(standard.questions[:6]):
            _answer(demo, work, project_run, question, _sample_answer(index, offset, 1))


def _sample_answer(index: int, offset: int, year: int) -> str:
    """An answer that differs between councils (`offset`) and improves from year to year."""
    level = (index * 2 + offset) % 3 - year
    return YES_NO_ANSWERS[max(level, 0)]


def _answer(demo: DemoView, work: Work, run: Run, question: Question, answer: str) -> None:
    current = answers.find_answer(work.session, run, question)
    evidence = (
        [Evidence(demo.projects[0].url, demo.projects[0].title)]
        if answer == YES and demo.projects
        else []
    )
    entered = AnswerInput(answer, NOTES.get(answer, ""), evidence)
    saved = answers.record(work, run, question, entered, current.edition if current else 0)
    if saved.action:
        due_on = (now() + timedelta(days=DUE_IN_DAYS)).date()
        actions.save_plan(
            work, run, question, ActionPlan("", demo.officer.id, due_on), saved.edition
        )
