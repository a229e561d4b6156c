"""Demonstration data: answers of every council, some of them shared."""

from datetime import timedelta

from node.api import DemoInfo, Work, now
from plugins.checklists import access, actions, answers, assessments, library, sharing
from plugins.checklists.actions import ActionPlan
from plugins.checklists.answers import AnswerInput, Evidence
from plugins.checklists.definitions.checklist import NO, PARTLY, YES, YES_NO_ANSWERS, Question
from plugins.checklists.models import COUNCIL, PROJECT, Assessment

DECLARATION_ID, SERVICE_STANDARD_ID = "local-digital-declaration", "service-standard"
SAMPLE_NOTES = {
    PARTLY: "Two of our services do; the others follow in spring.",
    NO: "Nobody had the time for it this year.",
}
DUE_IN_DAYS = 21


def add_demo_data(demo: DemoInfo, work: Work) -> None:
    """Answer the declaration for the council, a year ago and now, and share the newer run; begin
    the Service Standard for its first project. Does nothing if the council has a run of the
    declaration.
    """
    council = assessments.AssessmentSubject(COUNCIL, "", demo.council.name)
    if assessments.find_latest(work.session, DECLARATION_ID, council) is not None:
        return
    declaration = library.get_newest(work.session, DECLARATION_ID)
    offset = len(demo.council.name)
    for year in (0, 1):
        run = assessments.start_assessment(work, declaration, council)
        for index, question in enumerate(declaration.questions):
            _save_sample_answer(demo, work, run, question, _sample_answer(index, offset, year))
        assessments.finish_assessment(work, run)
        if not year:
            run.finished_at = now() - timedelta(days=365)
            run.changed_at = run.finished_at
            work.session.flush()
    sharing.share(work, access.VisibleAssessment(run, None, demo.council.name))
    if demo.projects:
        project = demo.projects[0]
        standard = library.get_newest(work.session, SERVICE_STANDARD_ID)
        project_run = assessments.start_assessment(
            work, standard, assessments.AssessmentSubject(PROJECT, project.uri, project.title)
        )
        for index, question in enumerate(standard.questions[:6]):
            _save_sample_answer(demo, work, project_run, question, _sample_answer(index, offset, 1))


def _sample_answer(index: int, offset: int, year: int) -> str:
    """An answer that differs between councils (`offset`) and improves from year to year."""
    level = (index * 2 + offset) % 3 - year
    return YES_NO_ANSWERS[max(level, 0)]


def _save_sample_answer(
    demo: DemoInfo, work: Work, assessment: Assessment, question: Question, answer: str
) -> None:
    current = answers.find_answer(work.session, assessment, question)
    evidence = (
        [Evidence(demo.projects[0].url, demo.projects[0].title)]
        if answer == YES and demo.projects
        else []
    )
    entered = AnswerInput(answer, SAMPLE_NOTES.get(answer, ""), evidence)
    saved = answers.save_answer(
        work, assessment, question, entered, current.edition if current else 0
    )
    if saved.action:
        due_on = (now() + timedelta(days=DUE_IN_DAYS)).date()
        actions.save_plan(
            work, assessment, question, ActionPlan("", demo.officer.id, due_on), saved.edition
        )
