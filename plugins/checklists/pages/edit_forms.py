"""The forms of the editor. They read and write data in the format of a definition file."""

from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)

from node.api import BaseForm, VersionedForm, trim
from plugins.checklists import labels
from plugins.checklists.definitions.checklist import CHOICE, QUESTION_TYPES, YES_NO
from plugins.checklists.definitions.parsing import MAX_OPTIONS

DefinitionData = dict[str, Any]


def bilingual_data(en: str | None, cy: str | None) -> DefinitionData:
    texts = {"en": trim(en or ""), "cy": trim(cy or "")}
    return {language: text for language, text in texts.items() if text}


def _set_or_remove(data: DefinitionData, name: str, value: Any) -> None:
    """Set a value, or remove the key if the value is empty."""
    data.pop(name, None)
    if value:
        data[name] = value


class NewChecklistForm(BaseForm):
    title = StringField(_l("Title"))
    id = StringField(
        _l("ID"), description=_l("Used in web addresses and file names, for example open-data")
    )


class ImportChecklistForm(BaseForm):
    file = FileField(_l("File (YAML)"))
    text = TextAreaField(_l("Or paste the YAML"), render_kw={"rows": 10})


class BilingualForm(VersionedForm):
    """A form with a field per language for each text in `TEXT_NAMES`."""

    TEXT_NAMES: tuple[str, ...] = ()

    def fill_texts(self, data: DefinitionData) -> None:
        for name in self.TEXT_NAMES:
            texts = data.get(name) or {}
            texts = {"en": texts} if isinstance(texts, str) else texts
            self[f"{name}_en"].data, self[f"{name}_cy"].data = texts.get("en"), texts.get("cy")

    def write_texts(self, data: DefinitionData) -> None:
        for name in self.TEXT_NAMES:
            _set_or_remove(
                data, name, bilingual_data(self[f"{name}_en"].data, self[f"{name}_cy"].data)
            )


class ChecklistAboutForm(BilingualForm):
    TEXT_NAMES = ("title", "about")

    title_en = StringField(_l("Title in English"))
    title_cy = StringField(_l("Title in Welsh"))
    about_en = TextAreaField(_l("Purpose in English"), render_kw={"rows": 4})
    about_cy = TextAreaField(_l("Purpose in Welsh"), render_kw={"rows": 4})
    source_title = StringField(_l("Title of the source"))
    source_publisher = StringField(_l("Publisher of the source"))
    source_published = StringField(_l("When the source was published"))
    source_url = StringField(
        _l("Web address of the source"), description=_l("Must start with https://")
    )
    licence = StringField(
        _l("Licence for your questions"),
        description=_l("For example, OGL-UK-3.0, CC-BY-4.0 or MIT"),
    )

    SOURCE_FIELDS = ("title", "publisher", "published", "url")

    def fill(self, data: DefinitionData) -> None:
        self.fill_texts(data)
        for name in self.SOURCE_FIELDS:
            self[f"source_{name}"].data = data.get("source", {}).get(name, "")
        self.licence.data = data.get("licence", "")

    def write_to(self, data: DefinitionData) -> None:
        self.write_texts(data)
        source = {name: (self[f"source_{name}"].data or "").strip() for name in self.SOURCE_FIELDS}
        data["source"] = {name: text for name, text in source.items() if text}
        data["licence"] = (self.licence.data or "").strip()


class ChecklistSectionForm(BilingualForm):
    TEXT_NAMES = ("title", "about")

    title_en = StringField(_l("Title in English"))
    title_cy = StringField(_l("Title in Welsh"))
    about_en = TextAreaField(_l("Description in English"), render_kw={"rows": 3})
    about_cy = TextAreaField(_l("Description in Welsh"), render_kw={"rows": 3})

    def fill(self, data: DefinitionData) -> None:
        self.fill_texts(data)

    def write_to(self, data: DefinitionData) -> None:
        self.write_texts(data)


class AdviceForm(BilingualForm):
    TEXT_NAMES = ("text",)

    text_en = TextAreaField(_l("Recommendation in English"), render_kw={"rows": 4})
    text_cy = TextAreaField(_l("Recommendation in Welsh"), render_kw={"rows": 4})
    placeholder = BooleanField(_l("Not written yet"))

    def fill(self, data: DefinitionData) -> None:
        self.fill_texts(data)
        self.placeholder.data = data.get("placeholder") == "true"

    def write_to(self, data: DefinitionData) -> None:
        self.write_texts(data)
        _set_or_remove(data, "placeholder", "true" if self.placeholder.data else "")


class OptionForm(Form):  # type: ignore[misc]  # WTForms has no types
    id = HiddenField()
    en = StringField(_l("In English"))
    cy = StringField(_l("In Welsh"))


class QuestionDefinitionForm(BilingualForm):
    """The definition of one question."""

    TEXT_NAMES = ("text", "guidance", "recommendation")

    text_en = TextAreaField(_l("Question in English"), render_kw={"rows": 2})
    text_cy = TextAreaField(_l("Question in Welsh"), render_kw={"rows": 2})
    is_text_missing = BooleanField(
        _l("Do not ask this question yet because it has not been written")
    )
    type = SelectField(
        _l("Type of answer"),
        choices=[SelectChoice(kind, labels.QUESTION_TYPE_LABELS[kind]) for kind in QUESTION_TYPES],
        validate_choice=False,
    )
    options = FieldList(FormField(OptionForm), label=_l("Answer option"), min_entries=1)
    guidance_en = TextAreaField(_l("Guidance in English"), render_kw={"rows": 3})
    guidance_cy = TextAreaField(_l("Guidance in Welsh"), render_kw={"rows": 3})
    recommendation_en = TextAreaField(
        _l("Recommendation in English"),
        description=_l("What to do if the answer is no or partly"),
        render_kw={"rows": 3},
    )
    recommendation_cy = TextAreaField(_l("Recommendation in Welsh"), render_kw={"rows": 3})
    is_recommendation_missing = BooleanField(_l("The recommendation has not been written yet"))
    shown_question = SelectField(_l("Depends on another question"), validate_choice=False)
    shown_answers = StringField(
        _l("Ask only if the answer is"),
        description=_l("Answer IDs, separated by commas, for example no, partly"),
    )

    def set_conditions(self, earlier: list[tuple[str, str]]) -> None:
        """Offer the earlier questions, as `(id, label)`, for the display condition."""
        always = SelectChoice("", _l("Always ask this question"))
        self.shown_question.choices = [always, *(SelectChoice(*choice) for choice in earlier)]

    def fill(self, data: DefinitionData) -> None:
        self.fill_texts(data)
        missing = data.get("placeholders", [])
        self.is_text_missing.data = "text" in missing
        self.is_recommendation_missing.data = "recommendation" in missing
        self.type.data = data.get("type", YES_NO)
        while self.options.entries:
            self.options.pop_entry()
        for option in data.get("options") or [{"id": "", "text": {}}]:
            self.options.append_entry({"id": option["id"], **option["text"]})
        condition = data.get("shown_when") or {}
        self.shown_question.data = condition.get("question", "")
        self.shown_answers.data = ", ".join(condition.get("is", []))

    def write_to(self, data: DefinitionData) -> None:
        self.write_texts(data)
        kind = self.type.data
        _set_or_remove(data, "type", "" if kind == YES_NO else kind)
        _set_or_remove(data, "options", self._options() if kind == CHOICE else [])
        missing = {
            "text": self.is_text_missing.data,
            "recommendation": self.is_recommendation_missing.data,
        }
        _set_or_remove(
            data, "placeholders", [name for name, is_missing in missing.items() if is_missing]
        )
        answers = [answer.strip() for answer in (self.shown_answers.data or "").split(",")]
        chosen = self.shown_question.data
        _set_or_remove(
            data,
            "shown_when",
            {"question": chosen, "is": [answer for answer in answers if answer]} if chosen else {},
        )

    def resize_list(self) -> bool:
        """Add or remove an option if its button was pressed. Returns whether it was; nothing is
        saved then.
        """
        if "add" in request.form and len(self.options.entries) < MAX_OPTIONS:
            self.options.append_entry()
        elif "remove" in request.form:
            index = request.form.get("remove", type=int)
            if index is not None and 0 <= index < len(self.options.entries):
                del self.options.entries[index]
        return bool({"add", "remove"} & request.form.keys())

    def _options(self) -> list[DefinitionData]:
        """The options. Existing ones keep their id, new ones get a free one."""
        taken_ids = {entry.form.id.data for entry in self.options.entries}
        options = []
        for number, entry in enumerate(self.options.entries, 1):
            text = bilingual_data(entry.form.en.data, entry.form.cy.data)
            if not text:
                continue
            option_id = entry.form.id.data
            while not option_id:
                option_id = f"a{number}" if f"a{number}" not in taken_ids else ""
                number += 1
            taken_ids.add(option_id)
            options.append({"id": option_id, "text": text})
        return options
