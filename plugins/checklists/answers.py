"""Answering: what is said to a question, what supports it, and what was said before."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from node.api import ConflictError, InvalidInputError, Work, insert_once, misfit, msg, now, trim
from plugins.checklists.answer_types import answer_error, clean_text, normalise_answer
from plugins.checklists.definitions.model import NEGATIVE_ANSWERS, YES_NO, Question
from plugins.checklists.models import FINISHED, AnswerHistory, ChecklistAnswer, Run

MAX_LEN_NOTE = 4_000
MAX_LEN_TITLE, MAX_LEN_URL = 200, 1_000
MAX_EVIDENCE = 10
# Of the changes of one answer, so many are kept: the oldest go first.
MAX_HISTORY = 200
TO_DO, DONE = "open", "done"


@dataclass(frozen=True)
class Evidence:
    """What supports an answer. What `is_private` stays at this council."""

    url: str
    title: str = ""
    is_private: bool = False


@dataclass(frozen=True)
class AnswerInput:
    """What somebody answers, as they typed it."""

    answer: Any
    note: str = ""
    evidence: Sequence[Evidence] = field(default_factory=tuple)


def get_by_question(session: Session, run: Run) -> Mapping[str, ChecklistAnswer]:
    """By the question's id."""
    rows = session.scalars(select(ChecklistAnswer).where(ChecklistAnswer.run_id == run.id))
    return {row.question: row for row in rows}


def get_values(session: Session, run: Run) -> Mapping[str, str]:
    """The answers alone."""
    rows = select(ChecklistAnswer.question, ChecklistAnswer.answer).where(
        ChecklistAnswer.run_id == run.id
    )
    return {row.question: row.answer for row in session.execute(rows)}


def parse_evidence(answer: ChecklistAnswer | None) -> list[Evidence]:
    return [Evidence(**each) for each in answer.evidence] if answer else []


def list_history(session: Session, run: Run, question: Question) -> Sequence[AnswerHistory]:
    """What was there before, newest first."""
    query = select(AnswerHistory).where(
        AnswerHistory.run_id == run.id, AnswerHistory.question == question.id
    )
    return session.scalars(query.order_by(AnswerHistory.id.desc()).limit(MAX_HISTORY)).all()


def record(
    work: Work, run: Run, question: Question, given: AnswerInput, edition: int
) -> ChecklistAnswer:
    """Keep an answer. `edition` is that of the answer that the writer began from, 0 for none.

    Raises `InvalidInputError`, and `ConflictError` where somebody else changed it meanwhile.
    """
    if run.state == FINISHED:
        raise InvalidInputError(
            msg("This assessment is finished. Start a new assessment to answer again.")
        )
    answer = normalise_answer(question, given.answer)
    values = {
        "answer": answer,
        "note": clean_text(given.note, MAX_LEN_NOTE, "note"),
        "evidence": [asdict(each) for each in _validate_evidence(given.evidence)],
    }
    there = find_answer(work.session, run, question)
    values["action"] = _action_state(question, answer, there)
    return save(work, run, question, "answer", values, edition)


def find_answer(session: Session, run: Run, question: Question) -> ChecklistAnswer | None:
    query = select(ChecklistAnswer).where(
        ChecklistAnswer.run_id == run.id, ChecklistAnswer.question == question.id
    )
    return session.scalar(query)


def save(
    work: Work, run: Run, question: Question, what: str, values: dict[str, Any], edition: int
) -> ChecklistAnswer:
    """Change a part of an answer and remember what was there before.

    Raises `ConflictError` where it is not the one of this `edition` any more.
    """
    session = work.session
    there = find_answer(session, run, question)
    if (there.edition if there else 0) != edition:
        raise ConflictError(msg("Someone else changed this while you were writing."))
    before = {name: _to_json(getattr(there, name)) if there else None for name in values}
    after = {name: _to_json(value) for name, value in values.items()}
    if there and before == after:
        return there
    stamp = {"by": work.by, "at": now()}
    key = {"run_id": run.id, "question": question.id}
    if there is None:
        empty = {"note": "", "evidence": [], "action": "", "plan": ""}
        done = insert_once(session, ChecklistAnswer, **key, **(empty | values), **stamp, edition=1)
    else:
        change = update(ChecklistAnswer).where(
            ChecklistAnswer.id == there.id, ChecklistAnswer.edition == edition
        )
        changed: Any = session.execute(change.values(**values, **stamp, edition=edition + 1))
        done = changed.rowcount == 1
    if not done:
        raise ConflictError(msg("Someone else changed this while you were writing."))
    if any(before.values()):
        _add_history(session, AnswerHistory(**key, what=what, before=before, **stamp))
    run.changed_at = now()
    session.flush()
    session.expire_all()
    work.audit(what, run.about or f"urn:moothall:run:{run.token}", question=question.id)
    return session.scalars(
        select(ChecklistAnswer).where(
            ChecklistAnswer.run_id == run.id, ChecklistAnswer.question == question.id
        )
    ).one()


def _add_history(session: Session, row: AnswerHistory) -> None:
    session.add(row)
    count = select(func.count()).where(
        AnswerHistory.run_id == row.run_id, AnswerHistory.question == row.question
    )
    if (session.scalar(count) or 0) > MAX_HISTORY:
        oldest = select(AnswerHistory).where(
            AnswerHistory.run_id == row.run_id, AnswerHistory.question == row.question
        )
        found = session.scalars(oldest.order_by(AnswerHistory.id).limit(1)).first()
        if found is not None:
            session.delete(found)


def _to_json(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _action_state(question: Question, answer: str, there: ChecklistAnswer | None) -> str:
    """A "no" or "partly" asks for something to be done; what is done already stays so."""
    if question.kind != YES_NO or answer not in NEGATIVE_ANSWERS:
        return ""
    return (there.action if there and there.answer == answer else "") or TO_DO


def _validate_evidence(given: Sequence[Evidence]) -> list[Evidence]:
    """What is not empty. Raises `InvalidInputError`, naming the field."""
    found = []
    for number, each in enumerate(given):
        url, title = each.url.strip(), trim(each.title)
        if not url and not title:
            continue
        place = f"evidence-{number}-url"
        if not _is_web_url(url):
            raise answer_error(msg("Enter a web address that starts with https://"), place)
        if why := misfit(title, MAX_LEN_TITLE):
            raise answer_error(why, f"evidence-{number}-title")
        found.append(Evidence(url, title, each.is_private))
    if len(found) > MAX_EVIDENCE:
        raise answer_error(msg("Add %(most)s links or fewer", most=MAX_EVIDENCE), "evidence")
    return found


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
