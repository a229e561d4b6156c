"""The forms for starting a run, answering a question and planning an action."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    FieldList,
    Form,
    FormField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)

from node.api import BaseForm, DateField, PersonInfo, VersionedForm
from plugins.checklists import labels
from plugins.checklists.answers import MAX_EVIDENCE, AnswerInput, Evidence, parse_evidence
from plugins.checklists.assessments import SCOPES
from plugins.checklists.definitions.checklist import CHOICE, DATE, NUMBER, YES_NO, Question
from plugins.checklists.models import ChecklistAnswer


class EvidenceForm(Form):  # type: ignore[misc]  # WTForms has no types
    url = StringField(_l("Web address"), description=_l("Must start with https://"))
    title = StringField(_l("Title"))
    is_private = BooleanField(_l("Only your council can see this link"))


class AnswerForm(VersionedForm):
    """The answer to one question. The subclass for its type adds the field `answer`."""

    note = TextAreaField(
        _l("Note"),
        description=_l("Only your council can see this note. It is never shared."),
        render_kw={"rows": 4},
    )
    evidence = FieldList(FormField(EvidenceForm), label=_l("Evidence"), min_entries=1)

    def fill(self, answer: ChecklistAnswer | None) -> None:
        """Fill the form from the current answer."""
        self.version.data = str(answer.edition if answer else 0)
        if answer is None:
            return
        self["answer"].process(None, _field_data(self["answer"], answer.answer))
        self.note.data = answer.note
        while self.evidence.entries:
            self.evidence.pop_entry()
        for link in parse_evidence(answer) or [Evidence("")]:
            self.evidence.append_entry(
                {"url": link.url, "title": link.title, "is_private": link.is_private}
            )

    def to_input(self) -> AnswerInput:
        entries = (entry.form for entry in self.evidence.entries)
        return AnswerInput(
            self["answer"].data,
            self.note.data or "",
            [
                Evidence(form.url.data or "", form.title.data or "", bool(form.is_private.data))
                for form in entries
            ],
        )

    def resize_list(self) -> bool:
        """Add or remove a link if its button was pressed. Returns whether it was; nothing is saved
        then.
        """
        if "add" in request.form and len(self.evidence.entries) < MAX_EVIDENCE:
            self.evidence.append_entry()
        elif "remove" in request.form:
            index = request.form.get("remove", type=int)
            if index is not None and 0 <= index < len(self.evidence.entries):
                del self.evidence.entries[index]
            if not self.evidence.entries:
                self.evidence.append_entry()
        return bool({"add", "remove"} & request.form.keys())


def build_answer_form(question: Question, language: str) -> AnswerForm:
    field: Any
    label = _l("Answer")
    if question.kind in (YES_NO, CHOICE):
        choices = [
            SelectChoice(answer, labels.answer(question, answer, language))
            for answer in question.answers
        ]
        field = RadioField(label, choices=choices, validate_choice=False)
    elif question.kind == DATE:
        field = DateField(label, description=_l("For example, 27 3 2027"))
    elif question.kind == NUMBER:
        field = StringField(
            label, render_kw={"inputmode": "decimal", "classes": "govuk-input--width-10"}
        )
    else:
        field = TextAreaField(label, render_kw={"rows": 5})
    form: AnswerForm = type("AnswerForm", (AnswerForm,), {"answer": field})()
    return form


def _field_data(field: Any, answer: str) -> Any:
    return date.fromisoformat(answer) if isinstance(field, DateField) and answer else answer or None


class ActionPlanForm(VersionedForm):
    """The plan of an action."""

    plan = TextAreaField(_l("Planned action"), render_kw={"rows": 4})
    owner_id = SelectField(_l("Owner"), coerce=str, validate_choice=False)
    due_on = DateField(_l("Due date"), description=_l("For example, 27 3 2027"))

    def set_people(self, people: Sequence[PersonInfo]) -> None:
        """Set the choices of owners."""
        no_owner = SelectChoice("", _l("No owner yet"))
        self.owner_id.choices = [
            no_owner,
            *(SelectChoice(str(person.id), person.name) for person in people),
        ]

    def fill(self, answer: ChecklistAnswer) -> None:
        self.version.data = str(answer.edition)
        self.plan.data = answer.plan
        self.owner_id.data = str(answer.owner_id or "")
        self.due_on.process(None, answer.due_on)


class StartAssessmentForm(BaseForm):
    """The subject of a new run."""

    scope = RadioField(_l("What do you want to assess?"), validate_choice=False)
    project = SelectField(
        _l("Which project?"),
        description=_l("Only if you are assessing a project"),
        validate_choice=False,
    )
    service = StringField(
        _l("Which service?"),
        description=_l(
            "Only if you are assessing a service. Enter its name, or its number in "
            "the Local Government Service List."
        ),
    )

    def set_choices(self, projects: Sequence[tuple[str, str]]) -> None:
        self.scope.choices = [SelectChoice(scope, labels.SCOPE_LABELS[scope]) for scope in SCOPES]
        no_project = SelectChoice("", _l("Select a project"))
        self.project.choices = [
            no_project,
            *(SelectChoice(token, title) for token, title in projects),
        ]
