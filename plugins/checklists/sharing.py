"""Sharing a run with other councils, taking that back, and what others share."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import update

from node import api
from node.api import CouncilView, Document, InvalidInputError, ProjectView, Work, msg, now
from plugins.checklists import answers, runs
from plugins.checklists.access import VisibleRun
from plugins.checklists.answers import Evidence
from plugins.checklists.definitions.model import YES
from plugins.checklists.federate import MAX_LEN_SUBJECT, RESULT_TYPE, SharedRun, parse_result
from plugins.checklists.models import FINISHED, PROJECT, Run

PRIVATE = "private"
# The setting by which everything that may be is shared.
SHARE_SETTING = "share_when_finished"
# So many councils are shown that did what is to be done.
MAX_EXAMPLES = 10


@dataclass(frozen=True)
class SharedExample:
    """A council that answered yes to a question. `project` is what it answered about, if it is one
    that whoever asks may see.
    """

    council: CouncilView
    title: str
    project: ProjectView | None
    evidence: Sequence[Evidence]
    document_id: str


def shared_content(work: Work, run: Run) -> tuple[dict[str, str], dict[str, list[Evidence]]]:
    """The answers, and what everybody may look at, by question."""
    asked = {question.id for question in runs.get_progress(work.session, run).questions}
    rows = [
        row for row in answers.get_by_question(work.session, run).values() if row.question in asked
    ]
    public = {
        row.question: [each for each in answers.parse_evidence(row) if not each.is_private]
        for row in rows
    }
    return (
        {row.question: row.answer for row in rows if row.answer},
        {question: found for question, found in public.items() if found},
    )


def find_obstacle(subject: VisibleRun) -> str:
    """Why a run cannot be shared; nothing where it can."""
    if subject.run.state != FINISHED:
        return msg("Finish this assessment first. Only finished assessments can be shared.")
    if subject.run.scope != PROJECT:
        return ""
    project = subject.project
    if project is None or not project.is_local:
        return msg(
            "This assessment is about another council’s project. You can only "
            "share assessments of your own council’s work."
        )
    if project.visibility == PRIVATE:
        return msg("Only your council can see this project, so its answers cannot be shared.")
    return ""


def share(work: Work, subject: VisibleRun) -> None:
    """Let the councils that work with ours see the answers, in place of those of an earlier run
    about the same. Raises `InvalidInputError`.
    """
    reason = find_obstacle(subject)
    if reason:
        raise InvalidInputError(reason)  # type: ignore[arg-type]  # it is a saying
    run = subject.run
    given, evidence = shared_content(work, run)
    checklist = runs.get_definition(work.session, run)
    fields = {
        "checklist": run.checklist,
        "version": run.version,
        "scope": run.scope,
        "about": subject.title[:MAX_LEN_SUBJECT] if run.scope != PROJECT else "",
        "finished": (run.finished_at or now()).date(),
        "answers": given,
        "evidence": {
            question: [{"url": each.url, "title": each.title} for each in found]
            for question, found in evidence.items()
        },
    }
    for before in runs.list_series(work.session, run):
        if before.document_id and before is not run:
            run.document_id, before.document_id = before.document_id, ""
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
    runs.reindex_project(work, run)
    work.audit("share", document.id, checklist=run.checklist)


def withdraw(work: Work, run: Run) -> None:
    """Other councils see it no longer."""
    if run.document_id:
        api.withdraw(work, run.document_id)
        work.audit("withdraw", run.document_id, checklist=run.checklist)
        run.document_id = ""
        runs.reindex_project(work, run)


def clear_document(work: Work, document_id: str) -> None:
    """What is about a project that others may not see any more is shared no longer."""
    mine = update(Run).where(Run.document_id == document_id)
    work.session.execute(mine.values(document_id=""))


def list_shared(work: Work, checklist_id: str) -> list[SharedRun]:
    """What councils share of a checklist, ours among them: of each thing the newest run."""
    found: dict[tuple[str, str, str], SharedRun] = {}
    for document in api.documents(work, RESULT_TYPE, fields={"checklist": checklist_id}):
        shared = parse_result(document)
        if shared is not None and shared.checklist == checklist_id:
            there = found.get(shared.key)
            if there is None or there.finished_on < shared.finished_on:
                found[shared.key] = shared
    return sorted(found.values(), key=lambda each: (not each.document.is_local, each.key))


def list_examples(work: Work, checklist_id: str, question_id: str) -> list[SharedExample]:
    """Other councils that answered yes to a question and share that, each once."""
    found: dict[str, SharedExample] = {}
    for shared in list_shared(work, checklist_id):
        council = shared.document.council
        if shared.document.is_local or shared.answers.get(question_id) != YES:
            continue
        if council.uri not in found and len(found) < MAX_EXAMPLES:
            uri = shared.document.project_uri
            found[council.uri] = SharedExample(
                council,
                shared.about or council.name,
                api.project_by_uri(work, uri) if uri else None,
                shared.evidence.get(question_id, ()),
                shared.document.id,
            )
    return list(found.values())
