"""The pages of one question, and of the action that a no or partly opens."""

from collections.abc import Mapping

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node import api
from node.api import ConflictError, InvalidInputError, NotFoundError, Work, msg
from plugins.checklists import access, actions, answers, assessments, sharing
from plugins.checklists.access import ANSWER, PLUGIN
from plugins.checklists.actions import ActionPlan
from plugins.checklists.definitions.checklist import Checklist, Question
from plugins.checklists.models import ChecklistAnswer
from plugins.checklists.pages.forms import ActionPlanForm, AnswerForm, build_answer_form


@api.permission(ANSWER)
def show(token: str, question_id: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        subject, _checklist, question = _load_question(work, token, question_id)
        form = build_answer_form(question, api.language())
        form.fill(answers.find_answer(work.session, subject.assessment, question))
        return _render_question(work, token, question_id, form)


@api.permission(ANSWER)
@api.keeps_input
def answer(token: str, question_id: str) -> ResponseReturnValue:
    """Save the answer, and go on to its action if it opened one, else to the next question."""
    with api.work(PLUGIN) as work:
        _subject, _checklist, question = _load_question(work, token, question_id)
    form = build_answer_form(question, api.language())
    if form.resize_list():
        with api.work(PLUGIN) as work:
            return _render_question(work, token, question_id, form)
    status, is_changed = 400, False
    if form.validate_on_submit() and not form["answer"].errors:
        try:
            with api.work(PLUGIN) as work:
                run = _load_question(work, token, question_id)[0].assessment
                saved = answers.save_answer(
                    work, run, question, form.to_input(), form.base_version()
                )
                return redirect(_next_url(work, token, question, saved), 303)
        except InvalidInputError as error:
            form.add_errors(error)
        except ConflictError:
            status, is_changed = 409, True
    with api.work(PLUGIN) as work:
        return _render_question(work, token, question_id, form, is_changed=is_changed), status


@api.permission(ANSWER)
def action(token: str, question_id: str) -> ResponseReturnValue:
    """The action of an answer: the recommendation, the plan, and councils that answered yes."""
    with api.work(PLUGIN) as work:
        form = ActionPlanForm()
        form.fill(_require_action(work, token, question_id))
        return _render_action(work, token, question_id, form)


@api.permission(ANSWER)
@api.keeps_input
def plan(token: str, question_id: str) -> ResponseReturnValue:
    form = ActionPlanForm()
    status, is_changed = 400, False
    if form.validate_on_submit() and not form.due_on.errors:
        try:
            with api.work(PLUGIN) as work:
                subject, _checklist, question = _load_question(work, token, question_id)
                entered = ActionPlan(
                    form.plan.data or "", _parse_owner(work, form), form.due_on.data
                )
                saved = actions.save_plan(
                    work, subject.assessment, question, entered, form.base_version()
                )
                return redirect(_next_url(work, token, question, saved, planned=True), 303)
        except InvalidInputError as error:
            form.add_errors(error)
        except ConflictError:
            status, is_changed = 409, True
    with api.work(PLUGIN) as work:
        return _render_action(work, token, question_id, form, is_changed=is_changed), status


@api.permission(ANSWER)
def settle(token: str, question_id: str) -> ResponseReturnValue:
    """Mark the action as done, or open again."""
    is_done = request.form.get("state") == "done"
    with api.work(PLUGIN) as work:
        subject, _checklist, question = _load_question(work, token, question_id)
        actions.set_done(work, subject.assessment, question, is_done=is_done)
    flash(
        _("The action has been marked as done.") if is_done else _("The action has been reopened."),
        "success",
    )
    return redirect(url_for("checklists.action", token=token, question_id=question_id), 303)


def _load_question(
    work: Work, token: str, question_id: str
) -> tuple[access.VisibleAssessment, Checklist, Question]:
    subject = access.get_assessment(work, token)
    checklist = assessments.get_definition(work.session, subject.assessment)
    question = checklist.by_id.get(question_id)
    if question is None or not question.is_asked:
        raise NotFoundError(msg("Question not found."))
    return subject, checklist, question


def _require_action(work: Work, token: str, question_id: str) -> ChecklistAnswer:
    subject, _checklist, question = _load_question(work, token, question_id)
    answer_row = answers.find_answer(work.session, subject.assessment, question)
    if answer_row is None or not answer_row.action:
        raise NotFoundError(msg("There is no action for this answer."))
    return answer_row


def _parse_owner(work: Work, form: ActionPlanForm) -> int | None:
    """The id of the chosen owner. Raises `InvalidInputError` if it is not one of the officers."""
    chosen = form.owner_id.data or ""
    if not chosen:
        return None
    if chosen not in {str(person.id) for person in api.people(work)}:
        raise InvalidInputError(
            msg("The action could not be saved."),
            {"owner_id": msg("Select an owner from the list")},
        )
    return int(chosen)


def _next_url(
    work: Work, token: str, question: Question, saved: ChecklistAnswer, *, planned: bool = False
) -> str:
    """The page that follows after an answer or a plan was saved."""
    run = assessments.get_by_token(work.session, token)
    if saved.action and not planned:
        return url_for("checklists.action", token=token, question_id=question.id)
    progress = assessments.get_progress(work.session, run)
    next_question = progress.next_question(question.id)
    if next_question is not None and run.state == "open":
        return url_for("checklists.question", token=token, question_id=next_question.id)
    section = next(
        part.section.id for part in progress.sections() if question in part.section.questions
    )
    return url_for("checklists.section", token=token, section_id=section)


def _render_question(
    work: Work, token: str, question_id: str, form: AnswerForm, *, is_changed: bool = False
) -> str:
    """The page of a question. `is_changed`: someone else saved an answer meanwhile, which is shown
    beside the form.
    """
    subject, checklist, question = _load_question(work, token, question_id)
    current = answers.find_answer(work.session, subject.assessment, question)
    if is_changed:
        form.version.data = str(current.edition if current else 0)
    history = answers.list_history(work.session, subject.assessment, question)
    return render_template(
        "checklists/question.html",
        run=subject.assessment,
        subject=subject,
        checklist=checklist,
        section=next(section for section in checklist.sections if question in section.questions),
        question=question,
        form=form,
        current=current,
        is_changed=is_changed,
        history=history,
        people=_names_by_id(
            work, [row.by_id for row in history] + ([current.by_id] if current else [])
        ),
    )


def _render_action(
    work: Work, token: str, question_id: str, form: ActionPlanForm, *, is_changed: bool = False
) -> str:
    subject, checklist, question = _load_question(work, token, question_id)
    current = _require_action(work, token, question_id)
    if is_changed:
        form.version.data = str(current.edition)
    form.set_people(api.people(work))
    return render_template(
        "checklists/action.html",
        run=subject.assessment,
        subject=subject,
        checklist=checklist,
        question=question,
        form=form,
        current=current,
        owner=api.person_by_id(work, current.owner_id) if current.owner_id else None,
        is_changed=is_changed,
        examples=sharing.list_examples(work, checklist.id, question.id),
    )


def _names_by_id(work: Work, ids: list[int | None]) -> Mapping[int, str]:
    """The names of the active users with these ids."""
    requested = set(ids)
    return {person.id: person.name for person in api.people(work) if person.id in requested}
