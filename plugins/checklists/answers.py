"""Answering: what is said to a question, what supports it, and what was said before."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from node.api import ConflictError, InvalidInputError, Work, insert_once, misfit, now, say, trim
from plugins.checklists.definitions.model import WANTING, YES_NO, Question
from plugins.checklists.kinds import kept, plain, wrong
from plugins.checklists.models import FINISHED, Answer, Past, Run

LONGEST_NOTE = 4_000
LONGEST_TITLE, LONGEST_URL = 200, 1_000
MOST_EVIDENCE = 10
# Of the changes of one answer, so many are kept: the oldest go first.
MOST_PAST = 200
TO_DO, DONE = "open", "done"


@dataclass(frozen=True)
class Evidence:
    """What supports an answer. What `is_private` stays at this council."""

    url: str
    title: str = ""
    is_private: bool = False


@dataclass(frozen=True)
class Given:
    """What somebody answers, as they typed it."""

    answer: Any
    note: str = ""
    evidence: Sequence[Evidence] = field(default_factory=tuple)


def of_run(session: Session, run: Run) -> Mapping[str, Answer]:
    """By the question's id."""
    rows = session.scalars(select(Answer).where(Answer.run_id == run.id))
    return {row.question: row for row in rows}


def said(session: Session, run: Run) -> Mapping[str, str]:
    """The answers alone."""
    rows = select(Answer.question, Answer.answer).where(Answer.run_id == run.id)
    return {row.question: row.answer for row in session.execute(rows)}


def evidence(answer: Answer | None) -> list[Evidence]:
    return [Evidence(**each) for each in answer.evidence] if answer else []


def past(session: Session, run: Run, question: Question) -> Sequence[Past]:
    """What was there before, newest first."""
    query = select(Past).where(Past.run_id == run.id, Past.question == question.id)
    return session.scalars(query.order_by(Past.id.desc()).limit(MOST_PAST)).all()


def record(work: Work, run: Run, question: Question, given: Given, edition: int) -> Answer:
    """Keep an answer. `edition` is that of the answer that the writer began from, 0 for none.

    Raises `InvalidInputError`, and `ConflictError` where somebody else changed it meanwhile.
    """
    if run.state == FINISHED:
        raise InvalidInputError(
            say("This assessment is finished. Start a new assessment to answer again.")
        )
    answer = kept(question, given.answer)
    values = {
        "answer": answer,
        "note": plain(given.note, LONGEST_NOTE, "note"),
        "evidence": [asdict(each) for each in _checked(given.evidence)],
    }
    there = of_question(work.session, run, question)
    values["action"] = _action(question, answer, there)
    return write(work, run, question, "answer", values, edition)


def of_question(session: Session, run: Run, question: Question) -> Answer | None:
    query = select(Answer).where(Answer.run_id == run.id, Answer.question == question.id)
    return session.scalar(query)


def write(
    work: Work, run: Run, question: Question, what: str, values: dict[str, Any], edition: int
) -> Answer:
    """Change a part of an answer and remember what was there before.

    Raises `ConflictError` where it is not the one of this `edition` any more.
    """
    session = work.session
    there = of_question(session, run, question)
    if (there.edition if there else 0) != edition:
        raise ConflictError(say("Someone else changed this while you were writing."))
    before = {name: _plain(getattr(there, name)) if there else None for name in values}
    after = {name: _plain(value) for name, value in values.items()}
    if there and before == after:
        return there
    stamp = {"by": work.by, "at": now()}
    key = {"run_id": run.id, "question": question.id}
    if there is None:
        empty = {"note": "", "evidence": [], "action": "", "plan": ""}
        done = insert_once(session, Answer, **key, **(empty | values), **stamp, edition=1)
    else:
        change = update(Answer).where(Answer.id == there.id, Answer.edition == edition)
        changed: Any = session.execute(change.values(**values, **stamp, edition=edition + 1))
        done = changed.rowcount == 1
    if not done:
        raise ConflictError(say("Someone else changed this while you were writing."))
    if any(before.values()):
        _remember(session, Past(**key, what=what, before=before, **stamp))
    run.changed_at = now()
    session.flush()
    session.expire_all()
    work.audit(what, run.about or f"urn:moothall:run:{run.token}", question=question.id)
    return session.scalars(
        select(Answer).where(Answer.run_id == run.id, Answer.question == question.id)
    ).one()


def _remember(session: Session, row: Past) -> None:
    session.add(row)
    count = select(func.count()).where(Past.run_id == row.run_id, Past.question == row.question)
    if (session.scalar(count) or 0) > MOST_PAST:
        oldest = select(Past).where(Past.run_id == row.run_id, Past.question == row.question)
        found = session.scalars(oldest.order_by(Past.id).limit(1)).first()
        if found is not None:
            session.delete(found)


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _action(question: Question, answer: str, there: Answer | None) -> str:
    """A "no" or "partly" asks for something to be done; what is done already stays so."""
    if question.kind != YES_NO or answer not in WANTING:
        return ""
    return (there.action if there and there.answer == answer else "") or TO_DO


def _checked(given: Sequence[Evidence]) -> list[Evidence]:
    """What is not empty. Raises `InvalidInputError`, naming the field."""
    found = []
    for number, each in enumerate(given):
        url, title = each.url.strip(), trim(each.title)
        if not url and not title:
            continue
        place = f"evidence-{number}-url"
        if not _is_address(url):
            raise wrong(say("Enter a web address that starts with https://"), place)
        if why := misfit(title, LONGEST_TITLE):
            raise wrong(why, f"evidence-{number}-title")
        found.append(Evidence(url, title, each.is_private))
    if len(found) > MOST_EVIDENCE:
        raise wrong(say("Add %(most)s links or fewer", most=MOST_EVIDENCE), "evidence")
    return found


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            len(url) <= LONGEST_URL
            and parts.scheme in ("https", "http")
            and bool(parts.hostname)
            and "@" not in parts.netloc
            and url.isprintable()
            and " " not in url
        )
    except ValueError:
        return False
