"""A checklist, and projects that are answered about."""

from node import api
from node.testing.nodes import TestNode
from plugins.checklists import access, answers, assessments, draft_editing, library, sharing
from plugins.checklists.answers import AnswerInput, Evidence
from plugins.checklists.definitions.parsing import parse_data
from plugins.checklists.models import COUNCIL, PROJECT
from tests.visibility.town import word

CHECKLIST = "words"
PLUGIN = "checklists"


def define(node: TestNode) -> None:
    """Publish the checklist, and leave a draft of it."""
    text = "News."
    question = {"id": "q1", "text": text, "guidance": text, "recommendation": text}
    checklist = parse_data(
        {
            "id": CHECKLIST,
            "version": "1",
            "title": text,
            "about": text,
            "source": {"title": text},
            "licence": "MIT",
            "sections": [{"id": "s1", "title": text, "questions": [question]}],
            "advice": [{"id": "r1", "text": text}],
        }
    )
    with node.app.app_context(), api.work(PLUGIN) as work:
        library.publish(work, checklist)
        draft_editing.start_draft(work, checklist)


def assess(node: TestNode, name: str, token: str) -> None:
    """Answer it about a project, whose word stands in what everybody may look at; and begin again.

    The note, and what is not finished yet, have words of their own.
    """
    with node.app.app_context(), api.work(PLUGIN) as work:
        checklist = library.get_newest(work.session, CHECKLIST)
        subject = assessments.AssessmentSubject(
            PROJECT, f"https://{node.host}/projects/{token}", name
        )
        given = AnswerInput("no", word("note"), [Evidence("https://a.example/", name)])
        run = assessments.start_assessment(work, checklist, subject)
        answers.save_answer(work, run, checklist.questions[0], given, 0)
        assessments.finish_assessment(work, run)
        again = AnswerInput("no", "", [Evidence("https://a.example/", word("unfinished"))])
        run = assessments.start_assessment(work, checklist, subject)
        answers.save_answer(work, run, checklist.questions[0], again, 1)


def share(node: TestNode) -> None:
    """Answer it with yes about the council itself, for other councils to see and to ask about."""
    with node.app.app_context(), api.work(PLUGIN) as work:
        checklist = library.get_newest(work.session, CHECKLIST)
        run = assessments.start_assessment(
            work, checklist, assessments.AssessmentSubject(COUNCIL, "", node.name)
        )
        answers.save_answer(work, run, checklist.questions[0], AnswerInput("yes", "", []), 0)
        assessments.finish_assessment(work, run)
        sharing.share(work, access.VisibleAssessment(run, None, node.name))
