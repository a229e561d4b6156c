"""The forms of the sections that are lists: links, user needs, outputs, relations."""

import re
from dataclasses import replace
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    FieldList,
    Form,
    FormField,
    HiddenField,
    SelectField,
    StringField,
)

from node.errors import InvalidInputError
from node.forms import DateField, LongLineField
from node.projects import taxonomy
from node.projects.details import (
    Adopter,
    Output,
    ProjectLink,
    RelatedProject,
    UserNeed,
    split_words,
)
from node.projects.section_forms import ProjectSectionForm, _choices
from node.projects.validation import ProjectInput, is_empty


class LinkEntryForm(Form):  # type: ignore[misc]  # WTForms has no types
    kind = SelectField(
        _l("Type"), choices=_choices(taxonomy.LINK_KIND_LABELS), validate_choice=False
    )
    url = StringField(_l("Address"), render_kw={"inputmode": "url"})
    title = StringField(_l("Link text"), description=_l("You can leave this empty"))


class UserNeedEntryForm(Form):  # type: ignore[misc]  # WTForms has no types
    as_a = StringField(
        _l("As a"), description=_l("Who the user is. For example, parent of a pupil.")
    )
    need = LongLineField(_l("I need"), render_kw={"rows": 2})
    so_that = LongLineField(_l("So that"), render_kw={"rows": 2})
    evidence = LongLineField(_l("How you know about this need"), render_kw={"rows": 3})
    evidence_kind = SelectField(
        _l("Type of evidence"),
        choices=_choices(taxonomy.EVIDENCE_KIND_LABELS),
        validate_choice=False,
    )
    evidence_url = StringField(_l("Link to the evidence"), render_kw={"inputmode": "url"})
    evidence_on = DateField(_l("Date of the evidence"))


class OutputEntryForm(Form):  # type: ignore[misc]  # WTForms has no types
    token = HiddenField()
    title = StringField(
        _l("What you can reuse"), description=_l("For example, user research report")
    )
    about = LongLineField(_l("What it can be used for"), render_kw={"rows": 3})
    licence = StringField(
        _l("Licence"), description=_l("For example, MIT or Open Government Licence v3.0")
    )
    url = StringField(_l("Web address"), render_kw={"inputmode": "url"})
    adopters = StringField(
        _l("Councils that reuse it"),
        description=_l(
            "Council names, separated by commas. Councils with their own server add themselves."
        ),
    )


class ListSectionForm(ProjectSectionForm):
    """A section that is a list: `list_field` of `item_type`, whose kinds are `kind_labels`."""

    list_field = ""
    item_type: type[Any] = ProjectLink
    kind_labels: Any = ()

    def add_errors(self, error: InvalidInputError) -> None:
        """Show errors at the entries as entered. The service counts only entries that are not
        empty, so their indexes are mapped back.
        """
        items = self._field_value(self.list_field)
        filled = [index for index, item in enumerate(items) if not is_empty(item)]

        def form_name(name: str) -> str:
            match = re.fullmatch(rf"{self.list_field}-(\d+)(-.+)", name)
            if match is None or int(match[1]) >= len(filled):
                return name
            return f"{self.list_field}-{filled[int(match[1])]}{match[2]}"

        fields = {form_name(name): message for name, message in error.fields.items()}
        super().add_errors(InvalidInputError(error.safe_text, fields))

    def resize(self, add: bool, remove: int | None) -> None:
        """Add an empty entry, or remove the one with the index `remove`; keep what was entered."""
        field = self[self.list_field]
        entries = [entry.data for entry in field.entries]
        if remove is not None and remove < len(entries):
            del entries[remove]
        field.process(None, [*entries, {}] if add else entries)

    def _field_value(self, name: str) -> Any:
        return tuple(self._build_item(entry.data) for entry in self[name].entries)

    def _build_item(self, typed: dict[str, Any]) -> Any:
        kind = "evidence_kind" if "evidence_kind" in typed else "kind"
        chosen = {kind: next((word for word in self.kind_labels if word == typed.get(kind)), None)}
        values = {name: value for name, value in typed.items() if value is not None}
        return self.item_type(**values | (chosen if kind in typed else {}))


class RelationEntryForm(Form):  # type: ignore[misc]  # WTForms has no types
    kind = SelectField(
        _l("How this project is related"),
        choices=_choices(taxonomy.RELATION_LABELS),
        validate_choice=False,
    )
    uri = StringField(
        _l("The other project"),
        description=_l(
            "The web address of the project’s page, on this site or on its own council’s site"
        ),
        render_kw={"inputmode": "url"},
    )


class LinksForm(ListSectionForm):
    list_field, item_type, kind_labels = "links", ProjectLink, taxonomy.LINK_KIND_LABELS
    links = FieldList(FormField(LinkEntryForm), _l("Link"), min_entries=1, max_entries=60)


class UserNeedsForm(ListSectionForm):
    list_field, item_type, kind_labels = "user_needs", UserNeed, taxonomy.EVIDENCE_KIND_LABELS
    user_needs = FieldList(
        FormField(UserNeedEntryForm), _l("User need"), min_entries=1, max_entries=60
    )


class OutputsForm(ListSectionForm):
    list_field, item_type = "outputs", Output
    outputs = FieldList(FormField(OutputEntryForm), _l("Output"), min_entries=1, max_entries=60)

    def fill(self, project_input: ProjectInput) -> None:
        super().fill(project_input)
        for entry, output in zip(self.outputs.entries, project_input.details.outputs, strict=False):
            names = ", ".join(adopter.name for adopter in output.adopters)
            entry.form.adopters.process(None, names)

    def to_input(self, project_input: ProjectInput) -> ProjectInput:
        """Keeps the id and date of every adopter that is still named."""
        known = {
            (output.token, adopter.name): adopter
            for output in project_input.details.outputs
            for adopter in output.adopters
        }
        entered = super().to_input(project_input)
        outputs = []
        for output in entered.details.outputs:
            adopters = (known.get((output.token, row.name), row) for row in output.adopters)
            outputs.append(replace(output, adopters=tuple(adopters)))
        return replace(entered, details=replace(entered.details, outputs=tuple(outputs)))

    def _build_item(self, typed: dict[str, Any]) -> Any:
        names = tuple(Adopter(name) for name in split_words(typed.get("adopters") or ""))
        return super()._build_item(typed | {"adopters": names})


class RelationsForm(ListSectionForm):
    list_field, item_type, kind_labels = "related", RelatedProject, taxonomy.RELATION_LABELS
    related = FieldList(
        FormField(RelationEntryForm), _l("Related project"), min_entries=1, max_entries=60
    )
