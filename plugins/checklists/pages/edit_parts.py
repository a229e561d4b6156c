"""The editor's pages for one part of a draft: about, section, question, recommendation."""

from collections.abc import Callable

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node import api
from node.api import ConflictError, InvalidInputError, NotFoundError, msg
from plugins.checklists import draft_editing
from plugins.checklists.access import DEFINE, PLUGIN
from plugins.checklists.definitions.checklist import CONDITION_TYPES, YES_NO
from plugins.checklists.definitions.parsing import MAX_ADVICE
from plugins.checklists.draft_editing import DefinitionData
from plugins.checklists.pages.edit_forms import (
    AdviceForm,
    BilingualForm,
    ChecklistAboutForm,
    ChecklistSectionForm,
    QuestionDefinitionForm,
)

# In the URL, in place of the id of a part that is to be created.
NEW_ITEM = "new"


@api.permission(DEFINE)
def about(checklist_id: str) -> ResponseReturnValue:
    return _show_part(
        checklist_id, ChecklistAboutForm(), lambda data: data, _("About the checklist")
    )


@api.permission(DEFINE)
@api.keeps_input
def save_about(checklist_id: str) -> ResponseReturnValue:
    form = ChecklistAboutForm()
    return _save_part(
        checklist_id, form, form.write_to, _("About the checklist"), required_field="title_en"
    )


@api.permission(DEFINE)
def section(checklist_id: str, section_id: str) -> ResponseReturnValue:
    return _show_part(
        checklist_id,
        ChecklistSectionForm(),
        lambda data: {} if section_id == NEW_ITEM else draft_editing.find_section(data, section_id),
        _("Section"),
    )


@api.permission(DEFINE)
@api.keeps_input
def save_section(checklist_id: str, section_id: str) -> ResponseReturnValue:
    form = ChecklistSectionForm()

    def change(data: DefinitionData) -> None:
        if section_id == NEW_ITEM:
            values: DefinitionData = {}
            form.write_to(values)
            draft_editing.add_section(data, values)
        else:
            form.write_to(draft_editing.find_section(data, section_id))

    return _save_part(checklist_id, form, change, _("Section"), required_field="title_en")


@api.permission(DEFINE)
def question(checklist_id: str, section_id: str, question_id: str) -> ResponseReturnValue:
    form = _offer_conditions(QuestionDefinitionForm(), checklist_id, question_id)

    def find_part(data: DefinitionData) -> DefinitionData:
        if question_id == NEW_ITEM:
            draft_editing.find_section(data, section_id)
            return {}
        return draft_editing.find_question(data, question_id)[0]

    return _show_part(checklist_id, form, find_part, _("Question"))


@api.permission(DEFINE)
@api.keeps_input
def save_question(checklist_id: str, section_id: str, question_id: str) -> ResponseReturnValue:
    form = _offer_conditions(QuestionDefinitionForm(), checklist_id, question_id)
    if form.resize_list():
        return _render_part(checklist_id, form, _("Question"))
    with api.work(PLUGIN) as work:
        used_ids = draft_editing.used_ids(work.session, checklist_id)

    def change(data: DefinitionData) -> None:
        if question_id == NEW_ITEM:
            values: DefinitionData = {}
            form.write_to(values)
            draft_editing.add_question(data, section_id, values, used_ids)
        else:
            form.write_to(draft_editing.find_question(data, question_id)[0])

    return _save_part(checklist_id, form, change, _("Question"), required_field="text_en")


@api.permission(DEFINE)
def advice(checklist_id: str, advice_id: str) -> ResponseReturnValue:
    return _show_part(
        checklist_id,
        AdviceForm(),
        lambda data: {} if advice_id == NEW_ITEM else _find_advice(data, advice_id),
        _("Recommendation"),
    )


@api.permission(DEFINE)
@api.keeps_input
def save_advice(checklist_id: str, advice_id: str) -> ResponseReturnValue:
    form = AdviceForm()

    def change(data: DefinitionData) -> None:
        if advice_id == NEW_ITEM:
            all_advice = data.setdefault("advice", [])
            if len(all_advice) >= MAX_ADVICE:
                raise InvalidInputError(
                    msg(
                        "A checklist can have up to %(most)s recommendations. Remove one "
                        "before you add another.",
                        most=MAX_ADVICE,
                    )
                )
            taken_ids = {item["id"] for item in all_advice}
            values: DefinitionData = {
                "id": next(f"r{number}" for number in range(1, 99) if f"r{number}" not in taken_ids)
            }
            form.write_to(values)
            all_advice.append(values)
        else:
            form.write_to(_find_advice(data, advice_id))

    return _save_part(checklist_id, form, change, _("Recommendation"), required_field="text_en")


def _find_advice(data: DefinitionData, advice_id: str) -> DefinitionData:
    for item in data.get("advice", ()):
        if item["id"] == advice_id:
            advice: DefinitionData = item
            return advice
    raise NotFoundError(msg("Recommendation not found."))


def _offer_conditions(
    form: QuestionDefinitionForm, checklist_id: str, question_id: str
) -> QuestionDefinitionForm:
    """Offer the questions before this one that have a fixed list of answers."""
    earlier: list[tuple[str, str]] = []
    with api.work(PLUGIN) as work:
        for section in draft_editing.get_draft(work.session, checklist_id).data["sections"]:
            for question in section.get("questions", ()):
                if question["id"] == question_id:
                    form.set_conditions(earlier)
                    return form
                if question.get("type", YES_NO) in CONDITION_TYPES:
                    text = (question.get("text") or {}).get("en", "")
                    earlier.append((question["id"], f"{question['id']}: {text}"))
    form.set_conditions(earlier)
    return form


def _show_part(
    checklist_id: str,
    form: BilingualForm,
    find_part: Callable[[DefinitionData], DefinitionData],
    heading: str,
) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        draft = draft_editing.get_draft(work.session, checklist_id)
        form.fill(find_part(draft.data))
        form.version.data = str(draft.edition)
    return _render_part(checklist_id, form, heading)


def _save_part(
    checklist_id: str,
    form: BilingualForm,
    apply_form: Callable[[DefinitionData], None],
    heading: str,
    required_field: str = "",
) -> ResponseReturnValue:
    """Save one part of a draft; the whole is validated when it is published. `required_field` is
    the field that must not be empty.
    """
    if not form.validate_on_submit():
        return _render_part(checklist_id, form, heading), 400
    try:
        with api.work(PLUGIN) as work:
            if required_field and not (form[required_field].data or "").strip():
                raise _missing_error(required_field)
            draft_editing.apply_change(work, checklist_id, form.base_version(), apply_form)
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_part(checklist_id, form, heading), 400
    except ConflictError:
        with api.work(PLUGIN) as work:
            form.version.data = str(draft_editing.get_draft(work.session, checklist_id).edition)
        return _render_part(checklist_id, form, heading, is_changed=True), 409
    return redirect(url_for("checklists.edit", checklist_id=checklist_id), 303)


def _missing_error(field: str) -> InvalidInputError:
    return InvalidInputError(
        msg("The draft could not be saved."), {field: msg("Enter the English version")}
    )


def _render_part(
    checklist_id: str, form: BilingualForm, heading: str, *, is_changed: bool = False
) -> str:
    with api.work(PLUGIN) as work:
        draft = draft_editing.get_draft(work.session, checklist_id)
        return render_template(
            "checklists/edit_part.html", draft=draft, form=form, name=heading, is_changed=is_changed
        )
