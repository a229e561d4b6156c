"""What a "no" or a "partly" asks to be done: by whom, until when, and whether it is."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from node.api import InvalidInputError, Work, now, say
from plugins.checklists import answers
from plugins.checklists.answers import DONE, TO_DO
from plugins.checklists.definitions.model import Question
from plugins.checklists.kinds import plain
from plugins.checklists.models import Answer, Run

LONGEST_PLAN = 2_000
# A list of actions shows so many.
MOST = 200
LATEST_DAY = date(2100, 1, 1)


@dataclass(frozen=True)
class Action:
    """An answer that asks for something to be done, and the run that it is of."""

    answer: Answer
    run: Run

    @property
    def is_late(self) -> bool:
        due = self.answer.due_on
        return self.answer.action == TO_DO and due is not None and due < now().date()


@dataclass(frozen=True)
class Plan:
    """What is to be done."""

    plan: str
    owner_id: int | None
    due_on: date | None


def plan(work: Work, run: Run, question: Question, given: Plan, edition: int) -> Answer:
    """Say what is to be done, who looks after it, and until when.

    Raises `InvalidInputError`, and `ConflictError` where somebody else changed it meanwhile.
    """
    _require(work, run, question)
    if given.due_on is not None and given.due_on > LATEST_DAY:
        raise InvalidInputError(
            say("The action could not be saved."), {"due_on": say("Enter an earlier date")}
        )
    values = {
        "plan": plain(given.plan, LONGEST_PLAN, "plan"),
        "owner_id": given.owner_id,
        "due_on": given.due_on,
    }
    return answers.write(work, run, question, "plan", values, edition)


def settle(work: Work, run: Run, question: Question, *, is_done: bool) -> None:
    """Say that it is done, or that it is not after all."""
    answer = _require(work, run, question)
    values = {"action": DONE if is_done else TO_DO, "done_at": now() if is_done else None}
    if answer.action != values["action"]:
        answers.write(work, run, question, "settle", values, answer.edition)


def of_run(session: Session, run: Run) -> list[Action]:
    """Those that are open first."""
    query = _actions().where(Run.id == run.id, Answer.action != "")
    return _found(session, query.order_by(Answer.action.desc(), Answer.id))


def to_do(session: Session, owner_id: int | None = None) -> list[Action]:
    """All that are open, of the newest runs, the first to fall due first; one person's alone."""
    query = _actions().where(Answer.action == TO_DO, Run.is_latest)
    if owner_id is not None:
        query = query.where(Answer.owner_id == owner_id)
    return _found(session, query.order_by(Answer.due_on.is_(None), Answer.due_on, Answer.id))


def due(session: Session, until: date) -> list[Action]:
    """Those that somebody looks after, that fall due until a day and were not reminded of yet."""
    query = _actions().where(
        Answer.action == TO_DO,
        Run.is_latest,
        Answer.owner_id.is_not(None),
        Answer.due_on <= until,
        func.coalesce(Answer.reminded_of, date(1, 1, 1)) != Answer.due_on,
    )
    return _found(session, query.order_by(Answer.due_on, Answer.id))


def _actions() -> Select[Answer, Run]:
    return select(Answer, Run).join(Run, Run.id == Answer.run_id)


def _found(session: Session, query: Select[Answer, Run]) -> list[Action]:
    return [Action(answer, run) for answer, run in session.execute(query.limit(MOST))]


def _require(work: Work, run: Run, question: Question) -> Answer:
    answer = answers.of_question(work.session, run, question)
    if answer is None or not answer.action:
        raise InvalidInputError(say("There is no action for this answer."))
    return answer
