"""Going through a checklist: to begin, to finish, to begin again, to go over to a new version."""

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
# A list of runs shows so many.
MAX_RUNS = 200
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
    """What a run is about: see `Run`."""

    scope: str
    about: str
    title: str


def get_by_token(session: Session, token: str) -> Run:
    """Raises `NotFoundError`. Who may see it, `access` says."""
    run = session.scalar(select(Run).where(Run.token == token))
    if run is None:
        raise NotFoundError(msg("There is no such assessment."))
    return run


def get_definition(session: Session, run: Run) -> Checklist:
    """The version by which it is answered."""
    return library.get_version(session, run.checklist, run.version)


def get_progress(session: Session, run: Run) -> RunProgress:
    return RunProgress(get_definition(session, run), answers.get_values(session, run))


def find_latest(session: Session, checklist_id: str, subject: RunSubject) -> Run | None:
    query = _select_about(subject).where(Run.checklist == checklist_id, Run.is_latest)
    return session.scalar(query)


def list_about(session: Session, subject: RunSubject) -> Sequence[Run]:
    """All runs about one thing, the newest of each checklist first."""
    query = _select_about(subject).order_by(Run.checklist, Run.number.desc()).limit(MAX_RUNS)
    return session.scalars(query).all()


def list_series(session: Session, run: Run) -> Sequence[Run]:
    """All runs of the same checklist about the same thing, oldest first."""
    same = (Run.checklist == run.checklist, Run.scope == run.scope, Run.about == run.about)
    newest = select(Run).where(*same).order_by(Run.number.desc()).limit(MAX_RUNS)
    return session.scalars(newest).all()[::-1]


def list_newest(session: Session, checklist_id: str) -> Sequence[Run]:
    """The newest run of a checklist about each thing, last changed first."""
    query = select(Run).where(Run.checklist == checklist_id, Run.is_latest)
    return session.scalars(
        query.order_by(Run.changed_at.desc(), Run.id.desc()).limit(MAX_RUNS)
    ).all()


def begin_run(work: Work, checklist: Checklist, subject: RunSubject) -> Run:
    """Begin with the answers of last time. Where one is open already, that is it."""
    session = work.session
    before = find_latest(session, checklist.id, subject)
    if before is not None and before.state == OPEN:
        return before
    library.store_version(work, checklist)
    token = secrets.token_urlsafe(9)
    key = {"checklist": checklist.id, "scope": subject.scope, "about": subject.about}
    is_first = insert_once(
        session,
        Run,
        **key,
        number=before.number + 1 if before else 1,
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
    if not is_first:  # somebody else began at this moment
        return session.scalars(
            _select_about(subject).where(Run.checklist == checklist.id, Run.is_latest)
        ).one()
    run = get_by_token(session, token)
    if before is not None:
        before.is_latest = False
        _carry_answers(work, checklist, before, run)
    work.audit("begin", _audit_subject(run), checklist=checklist.id, number=run.number)
    session.flush()
    return run


def finish_run(work: Work, run: Run) -> None:
    """Raises `InvalidInputError` while something is not answered."""
    left = get_progress(work.session, run).unanswered
    if left:
        raise InvalidInputError(
            msg(
                "Answer every question before you finish. The next question is: %(text)s",
                text=left[0].text.en,
            )
        )
    if run.state == OPEN:
        run.state, run.finished_at, run.changed_at = FINISHED, now(), now()
        reindex_project(work, run)
        work.audit("finish", _audit_subject(run), checklist=run.checklist, number=run.number)


def reindex_project(work: Work, run: Run) -> None:
    """What the search knows of a project changes."""
    if run.scope == PROJECT:
        api.reindex(work, run.about)


def discard_run(work: Work, run: Run) -> None:
    """Forget one that is not finished. Raises `InvalidInputError` for one that is."""
    if run.state == FINISHED:
        raise InvalidInputError(msg("You cannot delete a finished assessment."))
    session = work.session
    work.audit("discard", _audit_subject(run), checklist=run.checklist, number=run.number)
    _delete_runs(session, [run.id])
    same = (Run.checklist == run.checklist, Run.scope == run.scope, Run.about == run.about)
    before = session.scalars(select(Run).where(*same).order_by(Run.number.desc()).limit(1)).first()
    if before is not None:
        before.is_latest = True
    session.flush()


def switch_version(work: Work, run: Run, checklist: Checklist) -> int:
    """Answer an open run by another version from now on; what does not fit is put with what was
    there before. How many answers those are.
    """
    if run.state == FINISHED:
        raise InvalidInputError(
            msg("This assessment is finished. Start a new assessment to answer again.")
        )
    library.store_version(work, checklist)
    dropped = 0
    for question_id, row in answers.get_by_question(work.session, run).items():
        question = checklist.by_id.get(question_id)
        if question is not None and (not row.answer or is_valid_answer(question, row.answer)):
            continue
        before = {"answer": row.answer, "note": row.note, "evidence": row.evidence}
        key = {"run_id": run.id, "question": question_id, "by": work.by}
        work.session.add(AnswerHistory(**key, what="go-over", before=before | {"plan": row.plan}))
        work.session.delete(row)
        dropped += bool(row.answer)
    run.version, run.changed_at = checklist.version, now()
    work.audit("go-over", _audit_subject(run), checklist=run.checklist, version=checklist.version)
    work.session.flush()
    return dropped


def delete_of_project(work: Work, project_uri: str) -> list[str]:
    """Remove every run about a project; the ids of the documents that were shared of them."""
    rows = work.session.scalars(select(Run).where(Run.scope == PROJECT, Run.about == project_uri))
    found = {run.id: run.document_id for run in rows}
    _delete_runs(work.session, list(found))
    return [document_id for document_id in found.values() if document_id]


def _select_about(subject: RunSubject) -> Select[Run]:
    return select(Run).where(Run.scope == subject.scope, Run.about == subject.about)


def _audit_subject(run: Run) -> str:
    """What the audit log names: a project by its id."""
    return run.about if run.scope == PROJECT else f"urn:moothall:{run.scope}:{run.about}"


def _carry_answers(work: Work, checklist: Checklist, before: Run, run: Run) -> None:
    """The answers of last time, as far as they answer this version; their actions go on here."""
    for question_id, row in answers.get_by_question(work.session, before).items():
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
