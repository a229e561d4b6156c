"""The forms for the sections of a project. Each reads and writes some fields of `ProjectInput`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    Field,
    FieldList,
    Form,
    FormField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)

from node.errors import InvalidInputError
from node.forms import DayField, LongLineField, VersionedForm
from node.messages import Message, msg
from node.people.models import User
from node.projects import taxonomy
from node.projects.details import (
    Adopter,
    Details,
    Output,
    ProjectLink,
    RelatedProject,
    UserNeed,
    split_words,
)
from node.projects.validation import TEXT_LANGUAGES, TRANSLATED_FIELDS, ProjectInput, is_empty

LIST_FIELDS = {"tags", "technologies", "skills"}
# Services named in an error when the words match several.
MAX_NAMED = 3
NOT_GIVEN = SelectChoice("", _l("Not given"))


def _choices(labels: Any) -> list[SelectChoice]:
    return [NOT_GIVEN, *(SelectChoice(str(value), label) for value, label in labels.items())]


class ProjectSectionForm(VersionedForm):
    """The form for one section of a project."""

    def fill(self, text: ProjectInput) -> None:
        """Fill the fields from `text`."""
        for item in fields(Details):
            if item.name in self:
                value = getattr(text.details, item.name)
                displayed = ", ".join(value) if item.name in LIST_FIELDS else value
                self[item.name].process(
                    None,
                    "" if displayed is None and _is_choice_field(self[item.name]) else displayed,
                )

    def to_input(self, text: ProjectInput) -> ProjectInput:
        """`text` with the values that were entered."""
        entered = {
            item.name: self._field_value(item.name) for item in fields(Details) if item.name in self
        }
        return replace(text, details=replace(text.details, **entered))

    def _field_value(self, name: str) -> Any:
        value = self[name].data
        return split_words(value or "") if name in LIST_FIELDS else value


def _is_choice_field(field: Field) -> bool:
    return isinstance(field, SelectField | RadioField)


class BriefForm(ProjectSectionForm):
    """The brief, and the headings to which parts of it can be moved."""

    brief = TextAreaField(
        _l("Brief"),
        description=_l("Your brief so far. You can move parts of it under the headings below."),
    )
    why = TextAreaField(_l("Why the work is being done"), description=_l("You can use Markdown"))
    problem = TextAreaField(_l("Problem to be solved"))
    users = TextAreaField(_l("Who the users are and what they need"))
    work_done = TextAreaField(_l("Work already done"))
    constraints = TextAreaField(
        _l("Constraints"), description=_l("For example, laws, contracts, systems or dates")
    )

    def fill(self, text: ProjectInput) -> None:
        super().fill(text)
        self.brief.data = text.brief

    def to_input(self, text: ProjectInput) -> ProjectInput:
        brief = text.brief if self.brief.data is None else self.brief.data
        return replace(super().to_input(text), brief=brief)


class ProjectPlanForm(ProjectSectionForm):
    starts_on = DayField(_l("Start date"), description=_l("For example, 27 3 2027"))
    start_is_estimated = BooleanField(_l("The start date is estimated"))
    ends_on = DayField(_l("End date"))
    end_is_estimated = BooleanField(_l("The end date is estimated"))
    contract_ends_on = DayField(
        _l("Contract end date"),
        description=_l("Enter a date if the work depends on a contract that will end"),
    )
    assessment_on = DayField(_l("Next service assessment"))
    budget = RadioField(
        _l("Budget"), choices=_choices(taxonomy.BUDGETS), default="", validate_choice=False
    )
    collaboration = RadioField(
        _l("How you want to work with other councils"),
        choices=_choices(taxonomy.COLLABORATIONS),
        default="",
        validate_choice=False,
    )

    def _field_value(self, name: str) -> Any:
        labels: dict[str, Any] = {
            "budget": taxonomy.BUDGETS,
            "collaboration": taxonomy.COLLABORATIONS,
        }
        if name not in labels:
            return super()._field_value(name)
        return next((value for value in labels[name] if value == self[name].data), None)


class SubjectForm(ProjectSectionForm):
    capability = SelectField(
        _l("Capability"), choices=_choices(taxonomy.CAPABILITIES), validate_choice=False
    )
    business_area = SelectField(
        _l("Business area"), choices=_choices(taxonomy.BUSINESS_AREAS), validate_choice=False
    )
    lgsl = StringField(
        _l("Service number (LGSL)"),
        description=_l(
            "The service’s number in the Local Government Service List, or words from its name"
        ),
        render_kw={"classes": "govuk-input--width-20", "suggested_by": "services"},
    )
    tags = StringField(
        _l("Tags"), description=_l("Words people might search for, separated by commas")
    )
    technologies = StringField(
        _l("Technologies"),
        description=_l("Programming languages and products, separated by commas"),
    )
    skills = StringField(
        _l("Skills wanted"), description=_l("Skills the team is looking for, separated by commas")
    )

    def fill(self, text: ProjectInput) -> None:
        """Adds an imported value that our lists lack as a choice, so that saving keeps it."""
        super().fill(text)
        for name in ("capability", "business_area"):
            word = getattr(text.details, name)
            if word and word not in {value for value, *_rest in self[name].iter_choices()}:
                self[name].choices = [*self[name].choices, SelectChoice(word, word)]

    def resolve_service(
        self, matching: Callable[[str], Sequence[tuple[int, str]]]
    ) -> dict[str, Message]:
        """Replace words that match the name of exactly one service by its number.

        `matching` finds services, as number and name, by words. Returns the error if none or
        several match.
        """
        typed = " ".join((self.lgsl.data or "").split())
        if not typed or re.match(r"[0-9]{1,9}(?![0-9])", typed):
            return {}
        services = matching(typed)
        if not services:
            return {"lgsl": msg("No service matches these words. Look up the service in the list.")}
        if len(services) > 1:
            names = "; ".join(f"{number} {name}" for number, name in services[:MAX_NAMED])
            return {
                "lgsl": msg(
                    "More than one service matches these words, including %(names)s. Enter "
                    "the number of the service.",
                    names=names,
                )
            }
        self.lgsl.data = str(services[0][0])
        return {}

    def _field_value(self, name: str) -> Any:
        if name != "lgsl":
            return super()._field_value(name) or ""
        typed = (self.lgsl.data or "").strip()
        if not typed:
            return None
        number = re.match(r"[0-9]{1,9}(?![0-9])", typed)
        # 0 is not a valid number, so validation reports text that is not a number.
        return int(number[0]) if number else 0


class PeopleForm(ProjectSectionForm):
    department = StringField(_l("Department or service"))
    contact_name = StringField(
        _l("Contact’s name"), description=_l("Shown to everyone who can see the project")
    )
    contact_email = StringField(_l("Contact’s email address"))
    use_mine = BooleanField(
        _l("Use my name and email address"),
        description=_l(
            "Replaces the contact above with your name and the email address you "
            "sign in with. Everyone who can see the project will see them."
        ),
    )

    def suggest_contact(self, owner: User | None) -> None:
        """Suggest the owner's name if no contact is entered. Not the email address, which is for
        signing in: the owner decides whether to show it.
        """
        if owner is not None and not (self.contact_name.data or self.contact_email.data):
            self.contact_name.data = owner.name

    def use_own_contact(self, user: User) -> None:
        """Use the name and email address of `user`, who saves the form, if they chose that."""
        if self.use_mine.data:
            self.contact_name.data, self.contact_email.data = user.name, user.email


class LinkForm(Form):  # type: ignore[misc]  # WTForms has no types
    kind = SelectField(_l("Type"), choices=_choices(taxonomy.LINK_KINDS), validate_choice=False)
    url = StringField(_l("Address"), render_kw={"inputmode": "url"})
    title = StringField(_l("Link text"), description=_l("You can leave this empty"))


class NeedForm(Form):  # type: ignore[misc]  # WTForms has no types
    as_a = StringField(
        _l("As a"), description=_l("Who the user is. For example, parent of a pupil.")
    )
    need = LongLineField(_l("I need"), render_kw={"rows": 2})
    so_that = LongLineField(_l("So that"), render_kw={"rows": 2})
    evidence = LongLineField(_l("How you know about this need"), render_kw={"rows": 3})
    evidence_kind = SelectField(
        _l("Type of evidence"), choices=_choices(taxonomy.EVIDENCE_KINDS), validate_choice=False
    )
    evidence_url = StringField(_l("Link to the evidence"), render_kw={"inputmode": "url"})
    evidence_on = DayField(_l("Date of the evidence"))


class OutputForm(Form):  # type: ignore[misc]  # WTForms has no types
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


class ListForm(ProjectSectionForm):
    """A section that is a list: `list_field` of `item_type`, whose kinds are `kind_labels`."""

    list_field = ""
    item_type: type[Any] = ProjectLink
    kind_labels: Any = ()

    def show(self, error: InvalidInputError) -> None:
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
        super().show(InvalidInputError(error.safe_text, fields))

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


class RelatedForm(Form):  # type: ignore[misc]  # WTForms has no types
    kind = SelectField(
        _l("How this project is related"),
        choices=_choices(taxonomy.RELATIONS),
        validate_choice=False,
    )
    uri = StringField(
        _l("The other project"),
        description=_l(
            "The web address of the project’s page, on this site or on its own council’s site"
        ),
        render_kw={"inputmode": "url"},
    )


class LinksForm(ListForm):
    list_field, item_type, kind_labels = "links", ProjectLink, taxonomy.LINK_KINDS
    links = FieldList(FormField(LinkForm), _l("Link"), min_entries=1, max_entries=60)


class NeedsForm(ListForm):
    list_field, item_type, kind_labels = "user_needs", UserNeed, taxonomy.EVIDENCE_KINDS
    user_needs = FieldList(FormField(NeedForm), _l("User need"), min_entries=1, max_entries=60)


class OutputsForm(ListForm):
    list_field, item_type = "outputs", Output
    outputs = FieldList(FormField(OutputForm), _l("Output"), min_entries=1, max_entries=60)

    def fill(self, text: ProjectInput) -> None:
        super().fill(text)
        for entry, output in zip(self.outputs.entries, text.details.outputs, strict=False):
            names = ", ".join(adopter.name for adopter in output.adopters)
            entry.form.adopters.process(None, names)

    def to_input(self, text: ProjectInput) -> ProjectInput:
        """Keeps the id and date of every adopter that is still named."""
        known = {
            (output.token, adopter.name): adopter
            for output in text.details.outputs
            for adopter in output.adopters
        }
        entered = super().to_input(text)
        outputs = []
        for output in entered.details.outputs:
            adopters = (known.get((output.token, row.name), row) for row in output.adopters)
            outputs.append(replace(output, adopters=tuple(adopters)))
        return replace(entered, details=replace(entered.details, outputs=tuple(outputs)))

    def _build_item(self, typed: dict[str, Any]) -> Any:
        names = tuple(Adopter(name) for name in split_words(typed.get("adopters") or ""))
        return super()._build_item(typed | {"adopters": names})


class RelationsForm(ListForm):
    list_field, item_type, kind_labels = "related", RelatedProject, taxonomy.RELATIONS
    related = FieldList(
        FormField(RelatedForm), _l("Related project"), min_entries=1, max_entries=60
    )


class TranslationForm(ProjectSectionForm):
    """The text of a project in the other of the two languages, English and Welsh."""

    title = StringField(_l("Project name"))
    summary = LongLineField(_l("Summary"), render_kw={"rows": 3})
    why = TextAreaField(_l("Why the work is being done"))
    problem = TextAreaField(_l("Problem to be solved"))
    users = TextAreaField(_l("Who the users are and what they need"))
    work_done = TextAreaField(_l("Work already done"))
    constraints = TextAreaField(_l("Constraints"))
    brief = TextAreaField(_l("Brief"))

    def fill(self, text: ProjectInput) -> None:
        for name, value in text.translations.get(other_language(text), {}).items():
            self[name].data = value

    def show(self, error: InvalidInputError) -> None:
        """The service prefixes the fields of a translation with its language: `cy-title`."""
        fields = {name.partition("-")[2] or name: message for name, message in error.fields.items()}
        super().show(InvalidInputError(error.safe_text, fields))

    def to_input(self, text: ProjectInput) -> ProjectInput:
        translation = {name: self[name].data or "" for name in TRANSLATED_FIELDS}
        return replace(text, translations={**text.translations, other_language(text): translation})


def other_language(text: ProjectInput) -> str:
    """The language of the translation: the one that the project is not written in."""
    return next(tag for tag in TEXT_LANGUAGES if tag != text.language)
