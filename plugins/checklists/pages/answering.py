"""One question a page, and what follows from a "no"."""

from collections.abc import Mapping

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node import api
from node.api import ConflictError, InvalidInputError, NotFoundError, Work, say
from plugins.checklists import access, actions, answers, runs, sharing
from plugins.checklists.access import ANSWER, PLUGIN
from plugins.checklists.actions import Plan
from plugins.checklists.definitions.model import Checklist, Question
from plugins.checklists.models import Answer
from plugins.checklists.pages.forms import PlanForm, QuestionForm, question_form


@api.permission(ANSWER)
def show(token: str, question_id: str) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        subject, _checklist, question = _asked(work, token, question_id)
        form = question_form(question, api.language())
        form.fill(answers.of_question(work.session, subject.run, question))
        return _page(work, token, question_id, form)


@api.permission(ANSWER)
@api.keeps_text
def answer(token: str, question_id: str) -> ResponseReturnValue:
    """Keep the answer, and go on: to what is to be done about a "no", else to the next question."""
    with api.work(PLUGIN) as work:
        _subject, _checklist, question = _asked(work, token, question_id)
    form = question_form(question, api.language())
    if form.changes_list():
        with api.work(PLUGIN) as work:
            return _page(work, token, question_id, form)
    status, is_changed = 400, False
    if form.validate_on_submit() and not form["answer"].errors:
        try:
            with api.work(PLUGIN) as work:
                run = _asked(work, token, question_id)[0].run
                kept = answers.record(work, run, question, form.given(), form.began_from())
                return redirect(_onward(work, token, question, kept), 303)
        except InvalidInputError as error:
            form.show(error)
        except ConflictError:
            status, is_changed = 409, True
    with api.work(PLUGIN) as work:
        return _page(work, token, question_id, form, is_changed=is_changed), status


@api.permission(ANSWER)
def action(token: str, question_id: str) -> ResponseReturnValue:
    """What is recommended, who did it already, and what is to be done here."""
    with api.work(PLUGIN) as work:
        form = PlanForm()
        form.fill(_to_do(work, token, question_id))
        return _action_page(work, token, question_id, form)


@api.permission(ANSWER)
@api.keeps_text
def plan(token: str, question_id: str) -> ResponseReturnValue:
    form = PlanForm()
    status, is_changed = 400, False
    if form.validate_on_submit() and not form.due_on.errors:
        try:
            with api.work(PLUGIN) as work:
                subject, _checklist, question = _asked(work, token, question_id)
                given = Plan(form.plan.data or "", _owner(work, form), form.due_on.data)
                kept = actions.plan(work, subject.run, question, given, form.began_from())
                return redirect(_onward(work, token, question, kept, planned=True), 303)
        except InvalidInputError as error:
            form.show(error)
        except ConflictError:
            status, is_changed = 409, True
    with api.work(PLUGIN) as work:
        return _action_page(work, token, question_id, form, is_changed=is_changed), status


@api.permission(ANSWER)
def settle(token: str, question_id: str) -> ResponseReturnValue:
    """It is done, or it is not after all."""
    is_done = request.form.get("state") == "done"
    with api.work(PLUGIN) as work:
        subject, _checklist, question = _asked(work, token, question_id)
        actions.settle(work, subject.run, question, is_done=is_done)
    flash(
        _("The action has been marked as done.") if is_done else _("The action has been reopened."),
        "success",
    )
    return redirect(url_for("checklists.action", token=token, question_id=question_id), 303)


def _asked(work: Work, token: str, question_id: str) -> tuple[access.Subject, Checklist, Question]:
    subject = access.run(work, token)
    checklist = runs.definition(work.session, subject.run)
    question = checklist.by_id.get(question_id)
    if question is None or not question.is_asked:
        raise NotFoundError(say("There is no such question."))
    return subject, checklist, question


def _to_do(work: Work, token: str, question_id: str) -> Answer:
    subject, _checklist, question = _asked(work, token, question_id)
    found = answers.of_question(work.session, subject.run, question)
    if found is None or not found.action:
        raise NotFoundError(say("There is no action for this answer."))
    return found


def _owner(work: Work, form: PlanForm) -> int | None:
    """Raises `InvalidInputError` for somebody who is not there."""
    chosen = form.owner_id.data or ""
    if not chosen:
        return None
    if chosen not in {str(person.id) for person in api.people(work)}:
        raise InvalidInputError(
            say("The action could not be saved."),
            {"owner_id": say("Select an owner from the list")},
        )
    return int(chosen)


def _onward(
    work: Work, token: str, question: Question, kept: Answer, *, planned: bool = False
) -> str:
    """Where one goes on after an answer."""
    run = runs.by_token(work.session, token)
    if kept.action and not planned:
        return url_for("checklists.action", token=token, question_id=question.id)
    progress = runs.progress(work.session, run)
    following = progress.after(question.id)
    if following is not None and run.state == "open":
        return url_for("checklists.question", token=token, question_id=following.id)
    section = next(
        each.section.id for each in progress.parts() if question in each.section.questions
    )
    return url_for("checklists.section", token=token, section_id=section)


def _page(
    work: Work, token: str, question_id: str, form: QuestionForm, *, is_changed: bool = False
) -> str:
    """`is_changed`: somebody else saved meanwhile, and what they saved is shown beside."""
    subject, checklist, question = _asked(work, token, question_id)
    kept = answers.of_question(work.session, subject.run, question)
    if is_changed:
        form.version.data = str(kept.edition if kept else 0)
    past = answers.past(work.session, subject.run, question)
    return render_template(
        "checklists/question.html",
        run=subject.run,
        subject=subject,
        checklist=checklist,
        section=next(each for each in checklist.sections if question in each.questions),
        question=question,
        form=form,
        kept=kept,
        is_changed=is_changed,
        past=past,
        people=_people(work, [row.by for row in past] + ([kept.by] if kept else [])),
    )


def _action_page(
    work: Work, token: str, question_id: str, form: PlanForm, *, is_changed: bool = False
) -> str:
    subject, checklist, question = _asked(work, token, question_id)
    kept = _to_do(work, token, question_id)
    if is_changed:
        form.version.data = str(kept.edition)
    form.offer(api.people(work))
    return render_template(
        "checklists/action.html",
        run=subject.run,
        subject=subject,
        checklist=checklist,
        question=question,
        form=form,
        kept=kept,
        owner=api.person_by_id(work, kept.owner_id) if kept.owner_id else None,
        is_changed=is_changed,
        done_elsewhere=sharing.done_elsewhere(work, checklist.id, question.id),
    )


def _people(work: Work, addresses: list[str]) -> Mapping[str, str]:
    """The names of those who work here, by the address that the node knows them by."""
    wanted = set(addresses)
    return {person.email: person.name for person in api.people(work) if person.email in wanted}
