"""Shares runs with other councils, withdraws them, and reads the runs that councils share."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import update

from node import api
from node.api import CouncilInfo, Document, InvalidInputError, ProjectInfo, Work, msg, now
from plugins.checklists import answers, assessments
from plugins.checklists.access import VisibleAssessment
from plugins.checklists.answers import Evidence
from plugins.checklists.definitions.checklist import YES
from plugins.checklists.federate import (
    MAX_LEN_SUBJECT,
    RESULT_TYPE,
    SharedAssessment,
    parse_document,
)
from plugins.checklists.models import FINISHED, PROJECT, Assessment

PRIVATE_VISIBILITY = "private"
# The name of the setting that shares every run when it is finished, if it can be shared.
SHARE_SETTING = "share_when_finished"
# Councils shown as examples beside an action.
MAX_EXAMPLES = 10


@dataclass(frozen=True)
class SharedExample:
    """A council that answered yes to a question. `project` is the subject, if it is a project that
    the viewer can see.
    """

    council: CouncilInfo
    title: str
    project: ProjectInfo | None
    evidence: Sequence[Evidence]
    document_id: str


def build_shared_content(
    work: Work, assessment: Assessment
) -> tuple[dict[str, str], dict[str, list[Evidence]]]:
    """The answers and the public evidence of a run, each by the id of the question."""
    visible_ids = {
        question.id for question in assessments.get_progress(work.session, assessment).questions
    }
    rows = [
        row
        for row in answers.get_by_question(work.session, assessment).values()
        if row.question in visible_ids
    ]
    evidence = {
        row.question: [link for link in answers.parse_evidence(row) if not link.is_private]
        for row in rows
    }
    return (
        {row.question: row.answer for row in rows if row.answer},
        {question: links for question, links in evidence.items() if links},
    )


def find_problem(subject: VisibleAssessment) -> str:
    """Why a run cannot be shared, as one sentence; empty if it can."""
    if subject.assessment.state != FINISHED:
        return msg("Finish this assessment first. Only finished assessments can be shared.")
    if subject.assessment.scope != PROJECT:
        return ""
    project = subject.project
    if project is None or not project.is_local:
        return msg(
            "This assessment is about another council’s project. You can only "
            "share assessments of your own council’s work."
        )
    if project.visibility == PRIVATE_VISIBILITY:
        return msg("Only your council can see this project, so its answers cannot be shared.")
    return ""


def share(work: Work, subject: VisibleAssessment) -> None:
    """Publish the answers of a run to the councils that follow ours, replacing an earlier run about
    the same subject. Raises `InvalidInputError` with the reason from `find_problem`.
    """
    obstacle = find_problem(subject)
    if obstacle:
        raise InvalidInputError(obstacle)  # type: ignore[arg-type]  # a Message
    run = subject.assessment
    shared_answers, evidence = build_shared_content(work, run)
    checklist = assessments.get_definition(work.session, run)
    fields = {
        "checklist": run.checklist,
        "version": run.version,
        "scope": run.scope,
        "about": subject.title[:MAX_LEN_SUBJECT] if run.scope != PROJECT else "",
        "finished": (run.finished_at or now()).date(),
        "answers": shared_answers,
        "evidence": {
            question: [{"url": link.url, "title": link.title} for link in links]
            for question, links in evidence.items()
        },
    }
    for earlier in assessments.list_series(work.session, run):
        if earlier.document_id and earlier is not run:
            run.document_id, earlier.document_id = earlier.document_id, ""
    name = f"{checklist.title.en}: {subject.title}"
    document = api.publish(
        work,
        Document(
            type=RESULT_TYPE,
            name=name[:MAX_LEN_SUBJECT],
            fields=fields,
            project_uri=run.about if run.scope == PROJECT else None,
            id=run.document_id or None,
        ),
    )
    run.document_id = document.id
    assessments.reindex_project(work, run)
    work.audit("share", document.id, checklist=run.checklist)


def withdraw(work: Work, assessment: Assessment) -> None:
    """Delete the shared document of a run everywhere. Does nothing if it is not shared."""
    if assessment.document_id:
        api.withdraw(work, assessment.document_id)
        work.audit("withdraw", assessment.document_id, checklist=assessment.checklist)
        assessment.document_id = ""
        assessments.reindex_project(work, assessment)


def clear_document(work: Work, document_id: str) -> None:
    """Mark the run of a document as no longer shared, after the node withdrew the document."""
    run_of_document = update(Assessment).where(Assessment.document_id == document_id)
    work.session.execute(run_of_document.values(document_id=""))


def list_shared(work: Work, checklist_id: str) -> list[SharedAssessment]:
    """The shared runs of a checklist, ours first: the newest of each council and subject."""
    newest: dict[tuple[str, str, str], SharedAssessment] = {}
    for document in api.documents(work, RESULT_TYPE, fields={"checklist": checklist_id}):
        shared = parse_document(document)
        if shared is not None and shared.checklist == checklist_id:
            current = newest.get(shared.key)
            if current is None or current.finished_on < shared.finished_on:
                newest[shared.key] = shared
    return sorted(newest.values(), key=lambda run: (not run.document.is_local, run.key))


def list_examples(work: Work, checklist_id: str, question_id: str) -> list[SharedExample]:
    """Up to `MAX_EXAMPLES` other councils that share the answer yes to a question."""
    examples: dict[str, SharedExample] = {}
    for shared in list_shared(work, checklist_id):
        council = shared.document.council
        if shared.document.is_local or shared.answers.get(question_id) != YES:
            continue
        if council.uri not in examples and len(examples) < MAX_EXAMPLES:
            uri = shared.document.project_uri
            examples[council.uri] = SharedExample(
                council,
                shared.about or council.name,
                api.project_by_uri(work, uri) if uri else None,
                shared.evidence.get(question_id, ()),
                shared.document.id,
            )
    return list(examples.values())
