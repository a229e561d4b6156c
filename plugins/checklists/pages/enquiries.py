"""Asking another council about its answer, and the list of questions that others asked."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, TextAreaField

from node import api
from node.api import BaseForm, InvalidInputError, NotFoundError, msg
from plugins.checklists import access, assessments, enquiries
from plugins.checklists.access import ANSWER, PLUGIN


class EnquiryForm(BaseForm):
    document = HiddenField()
    words = TextAreaField(_l("What do you want to know?"), render_kw={"rows": 5})


@api.permission(ANSWER)
def show(token: str, question_id: str) -> ResponseReturnValue:
    form = EnquiryForm()
    form.document.data = request.args.get("document", "")
    return _render_form(token, question_id, form)


@api.permission(ANSWER)
@api.keeps_input
def ask(token: str, question_id: str) -> ResponseReturnValue:
    form, person = EnquiryForm(), api.person()
    if form.validate_on_submit() and person is not None:
        try:
            with api.work(PLUGIN) as work:
                access.get_assessment(work, token)
                document = form.document.data or ""
                enquiries.send_enquiry(work, person, document, question_id, form.words.data or "")
            flash(
                _("We’re sending your question. The council can reply to you by email."), "success"
            )
            return redirect(url_for("checklists.action", token=token, question_id=question_id), 303)
        except InvalidInputError as error:
            form.add_errors(error)
    return _render_form(token, question_id, form), 400


@api.permission(ANSWER)
def index() -> ResponseReturnValue:
    """The questions from other councils."""
    with api.work(PLUGIN) as work:
        rows = []
        for council_question, run in enquiries.list_all(work.session):
            subject = access.get_visible(work, run)
            checklist = assessments.get_definition(work.session, run)
            question = checklist.by_id.get(council_question.question)
            if subject and question:
                rows.append((council_question, subject, checklist, question))
        return render_template("checklists/asked.html", rows=rows)


def _render_form(token: str, question_id: str, form: EnquiryForm) -> str:
    with api.work(PLUGIN) as work:
        subject = access.get_assessment(work, token)
        checklist = assessments.get_definition(work.session, subject.assessment)
        question = checklist.by_id.get(question_id)
        if question is None:
            raise NotFoundError(msg("Question not found."))
        document = api.document(work, form.document.data or "")
        return render_template(
            "checklists/ask.html",
            run=subject.assessment,
            checklist=checklist,
            question=question,
            council=document.council,
            person=api.person(),
            form=form,
        )
