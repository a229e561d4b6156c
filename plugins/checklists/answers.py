"""Answers to the questions of a run, their evidence, and their history."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from node.api import (
    ConflictError,
    InvalidInputError,
    Work,
    find_text_error,
    insert_once,
    msg,
    now,
    trim,
)
from plugins.checklists.answer_types import answer_error, clean_text, normalise_answer
from plugins.checklists.definitions.checklist import NEGATIVE_ANSWERS, YES_NO, Question
from plugins.checklists.models import FINISHED, AnswerHistory, Assessment, ChecklistAnswer

# Characters.
MAX_LEN_NOTE = 4_000
MAX_LEN_TITLE, MAX_LEN_URL = 200, 1_000
MAX_EVIDENCE = 10
# Changes kept of one answer; the oldest are deleted.
MAX_HISTORY = 200
ACTION_OPEN, ACTION_DONE = "open", "done"


@dataclass(frozen=True)
class Evidence:
    """A link that supports an answer. A private one is never shown outside our council."""

    url: str
    title: str = ""
    is_private: bool = False


@dataclass(frozen=True)
class AnswerInput:
    """An answer as a person typed it, not validated yet."""

    answer: Any
    note: str = ""
    evidence: Sequence[Evidence] = field(default_factory=tuple)


def get_by_question(session: Session, assessment: Assessment) -> Mapping[str, ChecklistAnswer]:
    """The answers of a run, by the id of their question."""
    rows = session.scalars(select(ChecklistAnswer).where(ChecklistAnswer.run_id == assessment.id))
    return {row.question: row for row in rows}


def get_values(session: Session, assessment: Assessment) -> Mapping[str, str]:
    """The texts of the answers of a run, by the id of their question."""
    rows = select(ChecklistAnswer.question, ChecklistAnswer.answer).where(
        ChecklistAnswer.run_id == assessment.id
    )
    return {row.question: row.answer for row in session.execute(rows)}


def parse_evidence(answer: ChecklistAnswer | None) -> list[Evidence]:
    return [Evidence(**item) for item in answer.evidence] if answer else []


def list_history(
    session: Session, assessment: Assessment, question: Question
) -> Sequence[AnswerHistory]:
    """The changes of one answer, newest first."""
    query = select(AnswerHistory).where(
        AnswerHistory.run_id == assessment.id, AnswerHistory.question == question.id
    )
    return session.scalars(query.order_by(AnswerHistory.id.desc()).limit(MAX_HISTORY)).all()


def save_answer(
    work: Work, assessment: Assessment, question: Question, entered: AnswerInput, edition: int
) -> ChecklistAnswer:
    """Save an answer. `edition` is that of the answer that the writer saw, 0 for none.

    Raises `InvalidInputError`, and `ConflictError` if someone changed the answer after `edition`.
    """
    if assessment.state == FINISHED:
        raise InvalidInputError(
            msg("This assessment is finished. Start a new assessment to answer again.")
        )
    answer = normalise_answer(question, entered.answer)
    values = {
        "answer": answer,
        "note": clean_text(entered.note, MAX_LEN_NOTE, "note"),
        "evidence": [asdict(evidence) for evidence in _validate_evidence(entered.evidence)],
    }
    current = find_answer(work.session, assessment, question)
    values["action"] = _next_action_state(question, answer, current)
    return save_with_history(work, assessment, question, "answer", values, edition)


def find_answer(
    session: Session, assessment: Assessment, question: Question
) -> ChecklistAnswer | None:
    query = select(ChecklistAnswer).where(
        ChecklistAnswer.run_id == assessment.id, ChecklistAnswer.question == question.id
    )
    return session.scalar(query)


def save_with_history(
    work: Work,
    assessment: Assessment,
    question: Question,
    change_kind: str,
    values: dict[str, Any],
    edition: int,
) -> ChecklistAnswer:
    """Save some columns of an answer and add the previous values to its history.

    `what` names the kind of change in the history and the audit log. Raises `ConflictError` if the
    answer is no longer at `edition`.
    """
    session = work.session
    current = find_answer(session, assessment, question)
    if (current.edition if current else 0) != edition:
        raise ConflictError(msg("Someone else changed this while you were writing."))
    before = {name: _to_json(getattr(current, name)) if current else None for name in values}
    after = {name: _to_json(value) for name, value in values.items()}
    if current and before == after:
        return current
    author = {"by_id": work.user_id, "by": work.by, "at": now()}
    key = {"run_id": assessment.id, "question": question.id}
    if current is None:
        empty = {"note": "", "evidence": [], "action": "", "plan": ""}
        is_saved = insert_once(
            session, ChecklistAnswer, **key, **(empty | values), **author, edition=1
        )
    else:
        statement = update(ChecklistAnswer).where(
            ChecklistAnswer.id == current.id, ChecklistAnswer.edition == edition
        )
        result: Any = session.execute(statement.values(**values, **author, edition=edition + 1))
        is_saved = result.rowcount == 1
    if not is_saved:
        raise ConflictError(msg("Someone else changed this while you were writing."))
    if any(before.values()):
        _add_history_row(session, AnswerHistory(**key, what=change_kind, before=before, **author))
    assessment.changed_at = now()
    session.flush()
    session.expire_all()
    work.audit(
        change_kind,
        assessment.about or f"urn:moothall:run:{assessment.token}",
        question=question.id,
    )
    return session.scalars(
        select(ChecklistAnswer).where(
            ChecklistAnswer.run_id == assessment.id, ChecklistAnswer.question == question.id
        )
    ).one()


def _add_history_row(session: Session, row: AnswerHistory) -> None:
    session.add(row)
    count_query = select(func.count()).where(
        AnswerHistory.run_id == row.run_id, AnswerHistory.question == row.question
    )
    if (session.scalar(count_query) or 0) > MAX_HISTORY:
        history = select(AnswerHistory).where(
            AnswerHistory.run_id == row.run_id, AnswerHistory.question == row.question
        )
        oldest = session.scalars(history.order_by(AnswerHistory.id).limit(1)).first()
        if oldest is not None:
            session.delete(oldest)


def _to_json(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _next_action_state(question: Question, answer: str, current: ChecklistAnswer | None) -> str:
    """The state of the action: no and partly open one; it keeps its state while the answer stays
    the same.
    """
    if question.kind != YES_NO or answer not in NEGATIVE_ANSWERS:
        return ""
    return (current.action if current and current.answer == answer else "") or ACTION_OPEN


def _validate_evidence(entered: Sequence[Evidence]) -> list[Evidence]:
    """The links that are not empty. Raises `InvalidInputError` about the field of the form."""
    evidence = []
    for index, item in enumerate(entered):
        url, title = item.url.strip(), trim(item.title)
        if not url and not title:
            continue
        field = f"evidence-{index}-url"
        if not _is_web_url(url):
            raise answer_error(msg("Enter a web address that starts with https://"), field)
        if problem := find_text_error(title, MAX_LEN_TITLE):
            raise answer_error(problem, f"evidence-{index}-title")
        evidence.append(Evidence(url, title, item.is_private))
    if len(evidence) > MAX_EVIDENCE:
        raise answer_error(msg("Add %(most)s links or fewer", most=MAX_EVIDENCE), "evidence")
    return evidence


def _is_web_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            len(url) <= MAX_LEN_URL
            and parts.scheme in ("https", "http")
            and bool(parts.hostname)
            and "@" not in parts.netloc
            and url.isprintable()
            and " " not in url
        )
    except ValueError:
        return False
