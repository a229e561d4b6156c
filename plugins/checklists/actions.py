"""What a "no" or a "partly" asks to be done: by whom, until when, and whether it is."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from node.api import InvalidInputError, Work, msg, now
from plugins.checklists import answers
from plugins.checklists.answer_types import clean_text
from plugins.checklists.answers import DONE, TO_DO
from plugins.checklists.definitions.model import Question
from plugins.checklists.models import ChecklistAnswer, Run

MAX_LEN_PLAN = 2_000
# A list of actions shows so many.
MAX_ACTIONS = 200
MAX_DUE_ON = date(2100, 1, 1)


@dataclass(frozen=True)
class Action:
    """An answer that asks for something to be done, and the run that it is of."""

    answer: ChecklistAnswer
    run: Run

    @property
    def is_late(self) -> bool:
        due = self.answer.due_on
        return self.answer.action == TO_DO and due is not None and due < now().date()


@dataclass(frozen=True)
class ActionPlan:
    """What is to be done."""

    plan: str
    owner_id: int | None
    due_on: date | None


def save_plan(
    work: Work, run: Run, question: Question, given: ActionPlan, edition: int
) -> ChecklistAnswer:
    """Say what is to be done, who looks after it, and until when.

    Raises `InvalidInputError`, and `ConflictError` where somebody else changed it meanwhile.
    """
    _require(work, run, question)
    if given.due_on is not None and given.due_on > MAX_DUE_ON:
        raise InvalidInputError(
            msg("The action could not be saved."), {"due_on": msg("Enter an earlier date")}
        )
    values = {
        "plan": clean_text(given.plan, MAX_LEN_PLAN, "plan"),
        "owner_id": given.owner_id,
        "due_on": given.due_on,
    }
    return answers.save(work, run, question, "plan", values, edition)


def set_done(work: Work, run: Run, question: Question, *, is_done: bool) -> None:
    """Say that it is done, or that it is not after all."""
    answer = _require(work, run, question)
    values = {"action": DONE if is_done else TO_DO, "done_at": now() if is_done else None}
    if answer.action != values["action"]:
        answers.save(work, run, question, "settle", values, answer.edition)


def list_of_run(session: Session, run: Run) -> list[Action]:
    """Those that are open first."""
    query = _select_actions().where(Run.id == run.id, ChecklistAnswer.action != "")
    return _load(session, query.order_by(ChecklistAnswer.action.desc(), ChecklistAnswer.id))


def list_open(session: Session, owner_id: int | None = None) -> list[Action]:
    """All that are open, of the newest runs, the first to fall due first; one person's alone."""
    query = _select_actions().where(ChecklistAnswer.action == TO_DO, Run.is_latest)
    if owner_id is not None:
        query = query.where(ChecklistAnswer.owner_id == owner_id)
    return _load(
        session,
        query.order_by(
            ChecklistAnswer.due_on.is_(None), ChecklistAnswer.due_on, ChecklistAnswer.id
        ),
    )


def list_due(session: Session, until: date) -> list[Action]:
    """Those that somebody looks after, that fall due until a day and were not reminded of yet."""
    query = _select_actions().where(
        ChecklistAnswer.action == TO_DO,
        Run.is_latest,
        ChecklistAnswer.owner_id.is_not(None),
        ChecklistAnswer.due_on <= until,
        func.coalesce(ChecklistAnswer.reminded_of, date(1, 1, 1)) != ChecklistAnswer.due_on,
    )
    return _load(session, query.order_by(ChecklistAnswer.due_on, ChecklistAnswer.id))


def _select_actions() -> Select[ChecklistAnswer, Run]:
    return select(ChecklistAnswer, Run).join(Run, Run.id == ChecklistAnswer.run_id)


def _load(session: Session, query: Select[ChecklistAnswer, Run]) -> list[Action]:
    return [Action(answer, run) for answer, run in session.execute(query.limit(MAX_ACTIONS))]


def _require(work: Work, run: Run, question: Question) -> ChecklistAnswer:
    answer = answers.find_answer(work.session, run, question)
    if answer is None or not answer.action:
        raise InvalidInputError(msg("There is no action for this answer."))
    return answer
