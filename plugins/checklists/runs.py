"""Runs of checklists: begin, finish, repeat, discard, and switch to a new version."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from node import api
from node.api import InvalidInputError, NotFoundError, Work, insert_once, msg, now
from plugins.checklists import answers, library
from plugins.checklists.answer_types import is_valid_answer
from plugins.checklists.definitions.model import Checklist
from plugins.checklists.models import (
    COUNCIL,
    FINISHED,
    OPEN,
    PROJECT,
    SERVICE,
    AnswerHistory,
    ChecklistAnswer,
    CouncilQuestion,
    Run,
)
from plugins.checklists.progress import RunProgress

SCOPES = (PROJECT, SERVICE, COUNCIL)
# Runs in one list.
MAX_RUNS = 200
# Columns of an answer that a new run takes over from the one before.
CARRIED_FIELDS = (
    "question",
    "answer",
    "note",
    "evidence",
    "action",
    "plan",
    "owner_id",
    "due_on",
    "done_at",
)


@dataclass(frozen=True)
class RunSubject:
    """The subject of a run; the attributes are those of `Run`."""

    scope: str
    about: str
    title: str


def get_by_token(session: Session, token: str) -> Run:
    """The run with this token, whoever can see it: see `access`. Raises `NotFoundError`."""
    run = session.scalar(select(Run).where(Run.token == token))
    if run is None:
        raise NotFoundError(msg("Assessment not found."))
    return run


def get_definition(session: Session, run: Run) -> Checklist:
    """The version of the checklist that the run uses."""
    return library.get_version(session, run.checklist, run.version)


def get_progress(session: Session, run: Run) -> RunProgress:
    return RunProgress(get_definition(session, run), answers.get_values(session, run))


def find_latest(session: Session, checklist_id: str, subject: RunSubject) -> Run | None:
    query = _select_about(subject).where(Run.checklist == checklist_id, Run.is_latest)
    return session.scalar(query)


def list_about(session: Session, subject: RunSubject) -> Sequence[Run]:
    """All runs about a subject, by checklist, the newest first."""
    query = _select_about(subject).order_by(Run.checklist, Run.number.desc()).limit(MAX_RUNS)
    return session.scalars(query).all()


def list_series(session: Session, run: Run) -> Sequence[Run]:
    """All runs of the same checklist about the same subject, oldest first."""
    is_in_series = (Run.checklist == run.checklist, Run.scope == run.scope, Run.about == run.about)
    newest = select(Run).where(*is_in_series).order_by(Run.number.desc()).limit(MAX_RUNS)
    return session.scalars(newest).all()[::-1]


def list_newest(session: Session, checklist_id: str) -> Sequence[Run]:
    """The newest run of a checklist about each subject, last changed first."""
    query = select(Run).where(Run.checklist == checklist_id, Run.is_latest)
    return session.scalars(
        query.order_by(Run.changed_at.desc(), Run.id.desc()).limit(MAX_RUNS)
    ).all()


def begin_run(work: Work, checklist: Checklist, subject: RunSubject) -> Run:
    """Begin a run with the answers of the one before. Returns the open run if there is one."""
    session = work.session
    previous = find_latest(session, checklist.id, subject)
    if previous is not None and previous.state == OPEN:
        return previous
    library.store_version(work, checklist)
    token = secrets.token_urlsafe(9)
    key = {"checklist": checklist.id, "scope": subject.scope, "about": subject.about}
    is_first = insert_once(
        session,
        Run,
        **key,
        number=previous.number + 1 if previous else 1,
        token=token,
        version=checklist.version,
        title=subject.title,
        is_latest=True,
        state=OPEN,
        document_id="",
        began_by=work.by,
        began_at=now(),
        changed_at=now(),
    )
    if not is_first:  # someone else began it at the same time
        return session.scalars(
            _select_about(subject).where(Run.checklist == checklist.id, Run.is_latest)
        ).one()
    run = get_by_token(session, token)
    if previous is not None:
        previous.is_latest = False
        _carry_answers(work, checklist, previous, run)
    work.audit("begin", _audit_subject(run), checklist=checklist.id, number=run.number)
    session.flush()
    return run


def finish_run(work: Work, run: Run) -> None:
    """Finish a run. Raises `InvalidInputError` while a visible question is not answered."""
    unanswered = get_progress(work.session, run).unanswered
    if unanswered:
        raise InvalidInputError(
            msg(
                "Answer every question before you finish. The next question is: %(text)s",
                text=unanswered[0].text.en,
            )
        )
    if run.state == OPEN:
        run.state, run.finished_at, run.changed_at = FINISHED, now(), now()
        reindex_project(work, run)
        work.audit("finish", _audit_subject(run), checklist=run.checklist, number=run.number)


def reindex_project(work: Work, run: Run) -> None:
    """Ask for the facet values of the run's project again."""
    if run.scope == PROJECT:
        api.reindex(work, run.about)


def discard_run(work: Work, run: Run) -> None:
    """Delete a run; the one before becomes the latest. Raises `InvalidInputError` for a finished
    run.
    """
    if run.state == FINISHED:
        raise InvalidInputError(msg("You cannot delete a finished assessment."))
    session = work.session
    work.audit("discard", _audit_subject(run), checklist=run.checklist, number=run.number)
    _delete_runs(session, [run.id])
    is_in_series = (Run.checklist == run.checklist, Run.scope == run.scope, Run.about == run.about)
    previous = session.scalars(
        select(Run).where(*is_in_series).order_by(Run.number.desc()).limit(1)
    ).first()
    if previous is not None:
        previous.is_latest = True
    session.flush()


def switch_version(work: Work, run: Run, checklist: Checklist) -> int:
    """Switch an open run to another version of its checklist.

    Answers that are not valid in that version are moved to the history. Returns their number.
    Raises `InvalidInputError` for a finished run.
    """
    if run.state == FINISHED:
        raise InvalidInputError(
            msg("This assessment is finished. Start a new assessment to answer again.")
        )
    library.store_version(work, checklist)
    dropped_count = 0
    for question_id, row in answers.get_by_question(work.session, run).items():
        question = checklist.by_id.get(question_id)
        if question is not None and (not row.answer or is_valid_answer(question, row.answer)):
            continue
        before = {"answer": row.answer, "note": row.note, "evidence": row.evidence}
        key = {"run_id": run.id, "question": question_id, "by": work.by}
        work.session.add(AnswerHistory(**key, what="go-over", before=before | {"plan": row.plan}))
        work.session.delete(row)
        dropped_count += bool(row.answer)
    run.version, run.changed_at = checklist.version, now()
    work.audit("go-over", _audit_subject(run), checklist=run.checklist, version=checklist.version)
    work.session.flush()
    return dropped_count


def delete_of_project(work: Work, project_uri: str) -> list[str]:
    """Delete all runs about a project. Returns the ids of their shared documents."""
    rows = work.session.scalars(select(Run).where(Run.scope == PROJECT, Run.about == project_uri))
    document_ids = {run.id: run.document_id for run in rows}
    _delete_runs(work.session, list(document_ids))
    return [document_id for document_id in document_ids.values() if document_id]


def _select_about(subject: RunSubject) -> Select[Run]:
    return select(Run).where(Run.scope == subject.scope, Run.about == subject.about)


def _audit_subject(run: Run) -> str:
    """The subject of the run in the audit log: the id of a project, or a URN."""
    return run.about if run.scope == PROJECT else f"urn:moothall:{run.scope}:{run.about}"


def _carry_answers(work: Work, checklist: Checklist, previous: Run, run: Run) -> None:
    """Copy the answers and actions that are valid in this version from the previous run."""
    for question_id, row in answers.get_by_question(work.session, previous).items():
        question = checklist.by_id.get(question_id)
        if question is not None and (not row.answer or is_valid_answer(question, row.answer)):
            values: Mapping[str, object] = {name: getattr(row, name) for name in CARRIED_FIELDS}
            work.session.add(ChecklistAnswer(**values, run_id=run.id, by=row.by, at=row.at))
    work.session.flush()


def _delete_runs(session: Session, run_ids: list[int]) -> None:
    for table in (ChecklistAnswer, CouncilQuestion, AnswerHistory):
        session.execute(delete(table).where(table.run_id.in_(run_ids)))
    session.execute(delete(Run).where(Run.id.in_(run_ids)))
    session.expire_all()
