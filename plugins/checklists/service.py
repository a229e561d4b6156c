"""What can be done with checklists. Knows no Flask."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from node.api import InvalidInputError, NotFoundError, Work, insert_once, now, say
from plugins.checklists.definitions import Checklist, shipped
from plugins.checklists.models import Answer

ANSWERS = ("yes", "partly", "no")


@dataclass(frozen=True)
class Progress:
    """How far a project is with a checklist: how many of its questions have which answer."""

    checklist: Checklist
    counts: Mapping[str, int]

    @property
    def answered(self) -> int:
        return sum(self.counts.values())

    @property
    def total(self) -> int:
        return len(self.checklist.questions)


def checklist(checklist_id: str) -> Checklist:
    """Raises `NotFoundError`."""
    if checklist_id not in shipped():
        raise NotFoundError(say("There is no such checklist."))
    return shipped()[checklist_id]


def answers(session: Session, checklist: Checklist, project_uri: str) -> dict[str, str]:
    """The answer to each question of `checklist` that has one, by the question's id."""
    ids = [question.id for question in checklist.questions]
    rows = select(Answer.question, Answer.answer).where(
        Answer.project_uri == project_uri,
        Answer.checklist == checklist.id,
        Answer.question.in_(ids),
    )
    return {row.question: row.answer for row in session.execute(rows)}


def record(
    work: Work, checklist: Checklist, project_uri: str, given: Mapping[str, str | None]
) -> None:
    """Keep what was answered. `given` maps the id of a question to yes, partly, no, or nothing yet.

    Raises `InvalidInputError` for any other answer, and where nothing at all is answered.
    """
    ids = [question.id for question in checklist.questions]
    chosen = {question: answer for question in ids if (answer := given.get(question))}
    wrong = {
        question: say("Select yes, partly or no")
        for question, answer in chosen.items()
        if answer not in ANSWERS
    }
    if not chosen:
        wrong[ids[0]] = say("Select an answer to at least one question")
    if wrong:
        raise InvalidInputError(say("The answers could not be saved."), wrong)
    before = answers(work.session, checklist, project_uri)
    changed = {
        question: answer for question, answer in chosen.items() if before.get(question) != answer
    }
    for question, answer in changed.items():
        _write(work, checklist.id, project_uri, question, answer)
    if changed:
        work.audit("answer", project_uri, checklist=checklist.id, answers=changed)


def progress_of(session: Session, project_uri: str) -> list[Progress]:
    """How far a project is with every checklist."""
    return [
        Progress(item, Counter(answers(session, item, project_uri).values()))
        for item in shipped().values()
    ]


def forget(work: Work, project_uri: str) -> None:
    """Remove every answer about a project."""
    work.session.execute(delete(Answer).where(Answer.project_uri == project_uri))


def _write(work: Work, checklist_id: str, project_uri: str, question: str, answer: str) -> None:
    key = {"project_uri": project_uri, "checklist": checklist_id, "question": question}
    values = {"answer": answer, "by": work.by, "at": now()}
    if not insert_once(work.session, Answer, **key, **values):
        work.session.execute(update(Answer).filter_by(**key).values(**values))
