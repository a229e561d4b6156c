"""Actions: what is planned after the answer no or partly, who owns it, and when it is due."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from node.api import InvalidInputError, Work, msg, now
from plugins.checklists import answers
from plugins.checklists.answer_types import clean_text
from plugins.checklists.answers import ACTION_DONE, ACTION_OPEN
from plugins.checklists.definitions.checklist import Question
from plugins.checklists.models import Assessment, ChecklistAnswer

# Characters.
MAX_LEN_PLAN = 2_000
# Actions in one list.
MAX_ACTIONS = 200
MAX_DUE_ON = date(2100, 1, 1)


@dataclass(frozen=True)
class Action:
    """An answer with an action, and its run."""

    answer: ChecklistAnswer
    assessment: Assessment

    @property
    def is_late(self) -> bool:
        due = self.answer.due_on
        return self.answer.action == ACTION_OPEN and due is not None and due < now().date()


@dataclass(frozen=True)
class ActionPlan:
    """The part of an action that a person edits."""

    plan: str
    owner_id: int | None
    due_on: date | None


def save_plan(
    work: Work, assessment: Assessment, question: Question, plan: ActionPlan, edition: int
) -> ChecklistAnswer:
    """Save the plan, owner and due date of an action.

    Raises `InvalidInputError`, and `ConflictError` if someone changed the answer after `edition`.
    """
    _require_action(work, assessment, question)
    if plan.due_on is not None and plan.due_on > MAX_DUE_ON:
        raise InvalidInputError(
            msg("The action could not be saved."), {"due_on": msg("Enter an earlier date")}
        )
    values = {
        "plan": clean_text(plan.plan, MAX_LEN_PLAN, "plan"),
        "owner_id": plan.owner_id,
        "due_on": plan.due_on,
    }
    return answers.save_with_history(work, assessment, question, "plan", values, edition)


def set_done(work: Work, assessment: Assessment, question: Question, *, is_done: bool) -> None:
    """Mark the action of an answer as done, or open again."""
    answer = _require_action(work, assessment, question)
    values = {
        "action": ACTION_DONE if is_done else ACTION_OPEN,
        "done_at": now() if is_done else None,
    }
    if answer.action != values["action"]:
        answers.save_with_history(work, assessment, question, "settle", values, answer.edition)


def list_of_assessment(session: Session, assessment: Assessment) -> list[Action]:
    """The actions of a run, open ones first."""
    query = _select_actions().where(Assessment.id == assessment.id, ChecklistAnswer.action != "")
    return _load_actions(session, query.order_by(ChecklistAnswer.action.desc(), ChecklistAnswer.id))


def list_open(session: Session, owner_id: int | None = None) -> list[Action]:
    """The open actions of the newest runs by due date, of one owner or of all. Those without a due
    date come last.
    """
    query = _select_actions().where(ChecklistAnswer.action == ACTION_OPEN, Assessment.is_latest)
    if owner_id is not None:
        query = query.where(ChecklistAnswer.owner_id == owner_id)
    return _load_actions(
        session,
        query.order_by(
            ChecklistAnswer.due_on.is_(None), ChecklistAnswer.due_on, ChecklistAnswer.id
        ),
    )


def list_due(session: Session, until: date) -> list[Action]:
    """Open actions with an owner and a due date up to `until`, without those whose owner was
    already reminded of that date.
    """
    query = _select_actions().where(
        ChecklistAnswer.action == ACTION_OPEN,
        Assessment.is_latest,
        ChecklistAnswer.owner_id.is_not(None),
        ChecklistAnswer.due_on <= until,
        func.coalesce(ChecklistAnswer.reminded_of, date(1, 1, 1)) != ChecklistAnswer.due_on,
    )
    return _load_actions(session, query.order_by(ChecklistAnswer.due_on, ChecklistAnswer.id))


def _select_actions() -> Select[ChecklistAnswer, Assessment]:
    return select(ChecklistAnswer, Assessment).join(
        Assessment, Assessment.id == ChecklistAnswer.run_id
    )


def _load_actions(session: Session, query: Select[ChecklistAnswer, Assessment]) -> list[Action]:
    return [Action(answer, run) for answer, run in session.execute(query.limit(MAX_ACTIONS))]


def _require_action(work: Work, assessment: Assessment, question: Question) -> ChecklistAnswer:
    answer = answers.find_answer(work.session, assessment, question)
    if answer is None or not answer.action:
        raise InvalidInputError(msg("There is no action for this answer."))
    return answer
