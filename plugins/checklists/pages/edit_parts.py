"""The editor, part by part: what a checklist is, a section, a question, a recommendation."""

from collections.abc import Callable

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node import api
from node.api import ConflictError, InvalidInputError, NotFoundError, say
from plugins.checklists import editing
from plugins.checklists.access import DEFINE, PLUGIN
from plugins.checklists.definitions.model import DECIDING, YES_NO
from plugins.checklists.definitions.reading import MOST_ADVICE
from plugins.checklists.editing import Data
from plugins.checklists.pages.edit_forms import (
    AboutForm,
    AdviceForm,
    DefineForm,
    SectionForm,
    WordsForm,
)

# In place of the id of what is not there yet.
NEW = "new"


@api.permission(DEFINE)
def about(checklist_id: str) -> ResponseReturnValue:
    return _show(checklist_id, AboutForm(), lambda data: data, _("About the checklist"))


@api.permission(DEFINE)
@api.keeps_text
def save_about(checklist_id: str) -> ResponseReturnValue:
    form = AboutForm()
    return _save(checklist_id, form, form.give, _("About the checklist"), needed="title_en")


@api.permission(DEFINE)
def section(checklist_id: str, section_id: str) -> ResponseReturnValue:
    return _show(
        checklist_id,
        SectionForm(),
        lambda data: {} if section_id == NEW else editing.section_of(data, section_id),
        _("Section"),
    )


@api.permission(DEFINE)
@api.keeps_text
def save_section(checklist_id: str, section_id: str) -> ResponseReturnValue:
    form = SectionForm()

    def give(data: Data) -> None:
        if section_id == NEW:
            values: Data = {}
            form.give(values)
            editing.add_section(data, values)
        else:
            form.give(editing.section_of(data, section_id))

    return _save(checklist_id, form, give, _("Section"), needed="title_en")


@api.permission(DEFINE)
def question(checklist_id: str, section_id: str, question_id: str) -> ResponseReturnValue:
    form = _offered(DefineForm(), checklist_id, question_id)

    def found(data: Data) -> Data:
        if question_id == NEW:
            editing.section_of(data, section_id)
            return {}
        return editing.question_of(data, question_id)[0]

    return _show(checklist_id, form, found, _("Question"))


@api.permission(DEFINE)
@api.keeps_text
def save_question(checklist_id: str, section_id: str, question_id: str) -> ResponseReturnValue:
    form = _offered(DefineForm(), checklist_id, question_id)
    if form.changes_list():
        return _page(checklist_id, form, _("Question"))
    with api.work(PLUGIN) as work:
        used = editing.used_ids(work.session, checklist_id)

    def give(data: Data) -> None:
        if question_id == NEW:
            values: Data = {}
            form.give(values)
            editing.add_question(data, section_id, values, used)
        else:
            form.give(editing.question_of(data, question_id)[0])

    return _save(checklist_id, form, give, _("Question"), needed="text_en")


@api.permission(DEFINE)
def advice(checklist_id: str, advice_id: str) -> ResponseReturnValue:
    return _show(
        checklist_id,
        AdviceForm(),
        lambda data: {} if advice_id == NEW else _advice(data, advice_id),
        _("Recommendation"),
    )


@api.permission(DEFINE)
@api.keeps_text
def save_advice(checklist_id: str, advice_id: str) -> ResponseReturnValue:
    form = AdviceForm()

    def give(data: Data) -> None:
        if advice_id == NEW:
            every = data.setdefault("advice", [])
            if len(every) >= MOST_ADVICE:
                raise InvalidInputError(
                    say(
                        "A checklist can have up to %(most)s recommendations. Remove one "
                        "before you add another.",
                        most=MOST_ADVICE,
                    )
                )
            taken = {one["id"] for one in every}
            values: Data = {"id": next(f"r{n}" for n in range(1, 99) if f"r{n}" not in taken)}
            form.give(values)
            every.append(values)
        else:
            form.give(_advice(data, advice_id))

    return _save(checklist_id, form, give, _("Recommendation"), needed="text_en")


def _advice(data: Data, advice_id: str) -> Data:
    for one in data.get("advice", ()):
        if one["id"] == advice_id:
            found: Data = one
            return found
    raise NotFoundError(say("There is no such recommendation."))


def _offered(form: DefineForm, checklist_id: str, question_id: str) -> DefineForm:
    """A question may depend on those before it that have answers to choose from."""
    earlier: list[tuple[str, str]] = []
    with api.work(PLUGIN) as work:
        for each in editing.draft(work.session, checklist_id).data["sections"]:
            for one in each.get("questions", ()):
                if one["id"] == question_id:
                    form.offer(earlier)
                    return form
                if one.get("type", YES_NO) in DECIDING:
                    text = (one.get("text") or {}).get("en", "")
                    earlier.append((one["id"], f"{one['id']}: {text}"))
    form.offer(earlier)
    return form


def _show(
    checklist_id: str, form: WordsForm, found: Callable[[Data], Data], name: str
) -> ResponseReturnValue:
    with api.work(PLUGIN) as work:
        draft = editing.draft(work.session, checklist_id)
        form.fill(found(draft.data))
        form.version.data = str(draft.edition)
    return _page(checklist_id, form, name)


def _save(
    checklist_id: str,
    form: WordsForm,
    give: Callable[[Data], None],
    name: str,
    needed: str = "",
) -> ResponseReturnValue:
    """Keep what was written; it is checked as a whole when the draft is published."""
    if not form.validate_on_submit():
        return _page(checklist_id, form, name), 400
    try:
        with api.work(PLUGIN) as work:
            if needed and not (form[needed].data or "").strip():
                raise _missing(needed)
            editing.change(work, checklist_id, form.began_from(), give)
    except InvalidInputError as error:
        form.show(error)
        return _page(checklist_id, form, name), 400
    except ConflictError:
        with api.work(PLUGIN) as work:
            form.version.data = str(editing.draft(work.session, checklist_id).edition)
        return _page(checklist_id, form, name, is_changed=True), 409
    return redirect(url_for("checklists.edit", checklist_id=checklist_id), 303)


def _missing(field: str) -> InvalidInputError:
    return InvalidInputError(
        say("The draft could not be saved."), {field: say("Enter the English version")}
    )


def _page(checklist_id: str, form: WordsForm, name: str, *, is_changed: bool = False) -> str:
    with api.work(PLUGIN) as work:
        draft = editing.draft(work.session, checklist_id)
        return render_template(
            "checklists/edit_part.html", draft=draft, form=form, name=name, is_changed=is_changed
        )
