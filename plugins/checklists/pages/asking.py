"""Asking another council how it did something, and what others ask ours."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, TextAreaField

from node import api
from node.api import HouseForm, InvalidInputError, NotFoundError, say
from plugins.checklists import access, asking, runs
from plugins.checklists.access import ANSWER, PLUGIN


class AskForm(HouseForm):
    document = HiddenField()
    words = TextAreaField(_l("What do you want to know?"), render_kw={"rows": 5})


@api.permission(ANSWER)
def show(token: str, question_id: str) -> ResponseReturnValue:
    form = AskForm()
    form.document.data = request.args.get("document", "")
    return _page(token, question_id, form)


@api.permission(ANSWER)
@api.keeps_text
def ask(token: str, question_id: str) -> ResponseReturnValue:
    form, person = AskForm(), api.person()
    if form.validate_on_submit() and person is not None:
        try:
            with api.work(PLUGIN) as work:
                access.run(work, token)
                document = form.document.data or ""
                asking.ask(work, person, document, question_id, form.words.data or "")
            flash(
                _("Your question is on its way. The council can reply to you by email."), "success"
            )
            return redirect(url_for("checklists.action", token=token, question_id=question_id), 303)
        except InvalidInputError as error:
            form.show(error)
    return _page(token, question_id, form), 400


@api.permission(ANSWER)
def index() -> ResponseReturnValue:
    """What other councils ask."""
    with api.work(PLUGIN) as work:
        rows = []
        for asked, run in asking.every(work.session):
            subject = access.see(work, run)
            checklist = runs.definition(work.session, run)
            question = checklist.by_id.get(asked.question)
            if subject and question:
                rows.append((asked, subject, checklist, question))
        return render_template("checklists/asked.html", rows=rows)


def _page(token: str, question_id: str, form: AskForm) -> str:
    with api.work(PLUGIN) as work:
        subject = access.run(work, token)
        checklist = runs.definition(work.session, subject.run)
        question = checklist.by_id.get(question_id)
        if question is None:
            raise NotFoundError(say("There is no such question."))
        document = api.document(work, form.document.data or "")
        return render_template(
            "checklists/ask.html",
            run=subject.run,
            checklist=checklist,
            question=question,
            council=document.council,
            person=api.person(),
            form=form,
        )
