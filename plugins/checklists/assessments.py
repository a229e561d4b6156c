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
from plugins.checklists.definitions.checklist import Checklist
from plugins.checklists.models import (
    COUNCIL,
    FINISHED,
    OPEN,
    PROJECT,
    SERVICE,
    AnswerHistory,
    Assessment,
    ChecklistAnswer,
    Enquiry,
)
from plugins.checklists.progress import AssessmentProgress

SCOPES = (PROJECT, SERVICE, COUNCIL)
# Runs in one list.
MAX_ASSESSMENTS = 200
# Columns of an answer that a new run takes over from the one before.
COPIED_FIELDS = (
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
class AssessmentSubject:
    """The subject of a run; the attributes are those of `Assessment`."""

    scope: str
    about: str
    title: str


def get_by_token(session: Session, token: str) -> Assessment:
    """The run with this token, whoever can see it: see `access`. Raises `NotFoundError`."""
    run = session.scalar(select(Assessment).where(Assessment.token == token))
    if run is None:
        raise NotFoundError(msg("Assessment not found."))
    return run


def get_definition(session: Session, assessment: Assessment) -> Checklist:
    """The version of the checklist that the run uses."""
    return library.get_version(session, assessment.checklist, assessment.version)


def get_progress(session: Session, assessment: Assessment) -> AssessmentProgress:
    return AssessmentProgress(
        get_definition(session, assessment), answers.get_values(session, assessment)
    )


def find_latest(
    session: Session, checklist_id: str, subject: AssessmentSubject
) -> Assessment | None:
    query = _select_of_subject(subject).where(
        Assessment.checklist == checklist_id, Assessment.is_latest
    )
    return session.scalar(query)


def list_of_subject(session: Session, subject: AssessmentSubject) -> Sequence[Assessment]:
    """All runs about a subject, by checklist, the newest first."""
    query = (
        _select_of_subject(subject)
        .order_by(Assessment.checklist, Assessment.number.desc())
        .limit(MAX_ASSESSMENTS)
    )
    return session.scalars(query).all()


def list_series(session: Session, assessment: Assessment) -> Sequence[Assessment]:
    """All runs of the same checklist about the same subject, oldest first."""
    is_in_series = (
        Assessment.checklist == assessment.checklist,
        Assessment.scope == assessment.scope,
        Assessment.about == assessment.about,
    )
    newest = (
        select(Assessment)
        .where(*is_in_series)
        .order_by(Assessment.number.desc())
        .limit(MAX_ASSESSMENTS)
    )
    return session.scalars(newest).all()[::-1]


def list_newest(session: Session, checklist_id: str) -> Sequence[Assessment]:
    """The newest run of a checklist about each subject, last changed first."""
    query = select(Assessment).where(Assessment.checklist == checklist_id, Assessment.is_latest)
    return session.scalars(
        query.order_by(Assessment.changed_at.desc(), Assessment.id.desc()).limit(MAX_ASSESSMENTS)
    ).all()


def start_assessment(work: Work, checklist: Checklist, subject: AssessmentSubject) -> Assessment:
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
        Assessment,
        **key,
        number=previous.number + 1 if previous else 1,
        token=token,
        version=checklist.version,
        title=subject.title,
        is_latest=True,
        state=OPEN,
        document_id="",
        began_by_id=work.user_id,
        began_by=work.by,
        began_at=now(),
        changed_at=now(),
    )
    if not is_first:  # someone else began it at the same time
        return session.scalars(
            _select_of_subject(subject).where(
                Assessment.checklist == checklist.id, Assessment.is_latest
            )
        ).one()
    run = get_by_token(session, token)
    if previous is not None:
        previous.is_latest = False
        _copy_answers(work, checklist, previous, run)
    work.audit("begin", _audit_subject(run), checklist=checklist.id, number=run.number)
    session.flush()
    return run


def finish_assessment(work: Work, assessment: Assessment) -> None:
    """Finish a run. Raises `InvalidInputError` while a visible question is not answered."""
    unanswered = get_progress(work.session, assessment).unanswered
    if unanswered:
        raise InvalidInputError(
            msg(
                "Answer every question before you finish. The next question is: %(text)s",
                text=unanswered[0].text.en,
            )
        )
    if assessment.state == OPEN:
        assessment.state, assessment.finished_at, assessment.changed_at = FINISHED, now(), now()
        reindex_project(work, assessment)
        work.audit(
            "finish",
            _audit_subject(assessment),
            checklist=assessment.checklist,
            number=assessment.number,
        )


def reindex_project(work: Work, assessment: Assessment) -> None:
    """Ask for the facet values of the run's project again."""
    if assessment.scope == PROJECT:
        api.reindex(work, assessment.about)


def discard_assessment(work: Work, assessment: Assessment) -> None:
    """Delete a run; the one before becomes the latest. Raises `InvalidInputError` for a finished
    run.
    """
    if assessment.state == FINISHED:
        raise InvalidInputError(msg("You cannot delete a finished assessment."))
    session = work.session
    work.audit(
        "discard",
        _audit_subject(assessment),
        checklist=assessment.checklist,
        number=assessment.number,
    )
    _delete_assessments(session, [assessment.id])
    is_in_series = (
        Assessment.checklist == assessment.checklist,
        Assessment.scope == assessment.scope,
        Assessment.about == assessment.about,
    )
    previous = session.scalars(
        select(Assessment).where(*is_in_series).order_by(Assessment.number.desc()).limit(1)
    ).first()
    if previous is not None:
        previous.is_latest = True
    session.flush()


def switch_version(work: Work, assessment: Assessment, checklist: Checklist) -> int:
    """Switch an open run to another version of its checklist.

    Answers that are not valid in that version are moved to the history. Returns their number.
    Raises `InvalidInputError` for a finished run.
    """
    if assessment.state == FINISHED:
        raise InvalidInputError(
            msg("This assessment is finished. Start a new assessment to answer again.")
        )
    library.store_version(work, checklist)
    dropped_count = 0
    for question_id, row in answers.get_by_question(work.session, assessment).items():
        question = checklist.by_id.get(question_id)
        if question is not None and (not row.answer or is_valid_answer(question, row.answer)):
            continue
        before = {"answer": row.answer, "note": row.note, "evidence": row.evidence}
        work.session.add(
            AnswerHistory(
                run_id=assessment.id,
                question=question_id,
                what="go-over",
                before=before | {"plan": row.plan},
                by_id=work.user_id,
                by=work.by,
            )
        )
        work.session.delete(row)
        dropped_count += bool(row.answer)
    assessment.version, assessment.changed_at = checklist.version, now()
    work.audit(
        "go-over",
        _audit_subject(assessment),
        checklist=assessment.checklist,
        version=checklist.version,
    )
    work.session.flush()
    return dropped_count


def delete_of_project(work: Work, project_uri: str) -> list[str]:
    """Delete all runs about a project. Returns the ids of their shared documents."""
    rows = work.session.scalars(
        select(Assessment).where(Assessment.scope == PROJECT, Assessment.about == project_uri)
    )
    document_ids = {run.id: run.document_id for run in rows}
    _delete_assessments(work.session, list(document_ids))
    return [document_id for document_id in document_ids.values() if document_id]


def _select_of_subject(subject: AssessmentSubject) -> Select[Assessment]:
    return select(Assessment).where(
        Assessment.scope == subject.scope, Assessment.about == subject.about
    )


def _audit_subject(assessment: Assessment) -> str:
    """The subject of the run in the audit log: the id of a project, or a URN."""
    return (
        assessment.about
        if assessment.scope == PROJECT
        else f"urn:moothall:{assessment.scope}:{assessment.about}"
    )


def _copy_answers(
    work: Work, checklist: Checklist, previous: Assessment, assessment: Assessment
) -> None:
    """Copy the answers and actions that are valid in this version from the previous run."""
    for question_id, row in answers.get_by_question(work.session, previous).items():
        question = checklist.by_id.get(question_id)
        if question is not None and (not row.answer or is_valid_answer(question, row.answer)):
            values: Mapping[str, object] = {name: getattr(row, name) for name in COPIED_FIELDS}
            author = {"by_id": row.by_id, "by": row.by, "at": row.at}
            work.session.add(ChecklistAnswer(**values, **author, run_id=assessment.id))
    work.session.flush()


def _delete_assessments(session: Session, assessment_ids: list[int]) -> None:
    for table in (ChecklistAnswer, Enquiry, AnswerHistory):
        session.execute(delete(table).where(table.run_id.in_(assessment_ids)))
    session.execute(delete(Assessment).where(Assessment.id.in_(assessment_ids)))
    session.expire_all()
