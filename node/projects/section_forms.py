"""The forms of the parts of a project: each fills and gives a few fields of what is written."""

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
# Of services that have the same words so many are named.
MAX_NAMED = 3
NOT_GIVEN = SelectChoice("", _l("Not given"))


def _choices(named: Any) -> list[SelectChoice]:
    return [NOT_GIVEN, *(SelectChoice(str(word), label) for word, label in named.items())]


class ProjectSectionForm(VersionedForm):
    """A part of a project."""

    def fill(self, text: ProjectInput) -> None:
        """Show what is written."""
        for item in fields(Details):
            if item.name in self:
                value = getattr(text.details, item.name)
                shown = ", ".join(value) if item.name in LIST_FIELDS else value
                self[item.name].process(
                    None, "" if shown is None and _is_choice_field(self[item.name]) else shown
                )

    def to_input(self, text: ProjectInput) -> ProjectInput:
        """`text` with what was entered in its place."""
        said = {
            item.name: self._field_value(item.name) for item in fields(Details) if item.name in self
        }
        return replace(text, details=replace(text.details, **said))

    def _field_value(self, name: str) -> Any:
        value = self[name].data
        return split_words(value or "") if name in LIST_FIELDS else value


def _is_choice_field(field: Field) -> bool:
    return isinstance(field, SelectField | RadioField)


class BriefForm(ProjectSectionForm):
    """The brief as it was begun, and the headings under which parts of it may stand."""

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
        kinds: dict[str, Any] = {
            "budget": taxonomy.BUDGETS,
            "collaboration": taxonomy.COLLABORATIONS,
        }
        if name not in kinds:
            return super()._field_value(name)
        return next((word for word in kinds[name] if word == self[name].data), None)


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
        """A word of an import that our lists do not have stays, as long as nobody chooses."""
        super().fill(text)
        for name in ("capability", "business_area"):
            word = getattr(text.details, name)
            if word and word not in {value for value, *_rest in self[name].iter_choices()}:
                self[name].choices = [*self[name].choices, SelectChoice(word, word)]

    def resolve_service(
        self, matching: Callable[[str], Sequence[tuple[int, str]]]
    ) -> dict[str, Message]:
        """Words that are in the name of one service alone stand for its number. Returns what is
        wrong with those of none or of several.
        """
        typed = " ".join((self.lgsl.data or "").split())
        if not typed or re.match(r"[0-9]{1,9}(?![0-9])", typed):
            return {}
        found = matching(typed)
        if not found:
            return {"lgsl": msg("No service matches these words. Look up the service in the list")}
        if len(found) > 1:
            names = "; ".join(f"{number} {name}" for number, name in found[:MAX_NAMED])
            return {
                "lgsl": msg(
                    "More than one service matches these words, including %(names)s. Enter "
                    "the number of the service",
                    names=names,
                )
            }
        self.lgsl.data = str(found[0][0])
        return {}

    def _field_value(self, name: str) -> Any:
        if name != "lgsl":
            return super()._field_value(name) or ""
        typed = (self.lgsl.data or "").strip()
        if not typed:
            return None
        number = re.match(r"[0-9]{1,9}(?![0-9])", typed)
        # What is no number is refused in words by the service, as a number that no list has.
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
        """The name of whoever looks after the project, where nothing is written yet. Not the
        address, which is for signing in: its owner decides whether it is shown.
        """
        if owner is not None and not (self.contact_name.data or self.contact_email.data):
            self.contact_name.data = owner.name

    def use_own_contact(self, user: User) -> None:
        """Whoever saves this is the contact, if they chose to be."""
        if self.use_mine.data:
            self.contact_name.data, self.contact_email.data = user.name, user.email


class LinkForm(Form):  # type: ignore[misc]  # WTForms has no types
    kind = SelectField(_l("Type"), choices=_choices(taxonomy.LINK_KINDS), validate_choice=False)
    url = StringField(_l("Address"), render_kw={"inputmode": "url"})
    title = StringField(_l("Link text"), description=_l("You can leave this empty"))


class NeedForm(Form):  # type: ignore[misc]  # WTForms has no types
    as_a = StringField(
        _l("As a"), description=_l("Who the user is. For example, parent of a pupil")
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
    """A part that is a list: `field` names it, `kind` is what it holds, `words` its kinds."""

    list_field = ""
    item_type: type[Any] = ProjectLink
    kind_labels: Any = ()

    def show(self, error: InvalidInputError) -> None:
        """What is wrong with an entry is known by its place among those that say something."""
        given = self._field_value(self.list_field)
        filled = [place for place, each in enumerate(given) if not is_empty(each)]

        def renamed(name: str) -> str:
            found = re.fullmatch(rf"{self.list_field}-(\d+)(-.+)", name)
            if found is None or int(found[1]) >= len(filled):
                return name
            return f"{self.list_field}-{filled[int(found[1])]}{found[2]}"

        wrong = {renamed(name): words for name, words in error.fields.items()}
        super().show(InvalidInputError(error.safe_text, wrong))

    def resize(self, add: bool, remove: int | None) -> None:
        """One more, empty, or one fewer, of what is typed."""
        listed = self[self.list_field]
        given = [entry.data for entry in listed.entries]
        if remove is not None and remove < len(given):
            del given[remove]
        listed.process(None, [*given, {}] if add else given)

    def _field_value(self, name: str) -> Any:
        return tuple(self._build_item(entry.data) for entry in self[name].entries)

    def _build_item(self, typed: dict[str, Any]) -> Any:
        kind = "evidence_kind" if "evidence_kind" in typed else "kind"
        chosen = {kind: next((each for each in self.kind_labels if each == typed.get(kind)), None)}
        given = {name: value for name, value in typed.items() if value is not None}
        return self.item_type(**given | (chosen if kind in typed else {}))


class RelatedForm(Form):  # type: ignore[misc]  # WTForms has no types
    kind = SelectField(
        _l("How this project is related"),
        choices=_choices(taxonomy.RELATIONS),
        validate_choice=False,
    )
    uri = StringField(
        _l("The other project"),
        description=_l("The web address of its page, on this site or on its own council’s site"),
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
            entry.form.adopters.process(None, ", ".join(each.name for each in output.adopters))

    def to_input(self, text: ProjectInput) -> ProjectInput:
        """Councils that are still named stay as they are known: with their ids and since when."""
        known = {
            (output.token, each.name): each
            for output in text.details.outputs
            for each in output.adopters
        }
        given = super().to_input(text)
        outputs = (
            replace(each, adopters=tuple(known.get((each.token, a.name), a) for a in each.adopters))
            for each in given.details.outputs
        )
        return replace(given, details=replace(given.details, outputs=tuple(outputs)))

    def _build_item(self, typed: dict[str, Any]) -> Any:
        names = tuple(Adopter(name) for name in split_words(typed.get("adopters") or ""))
        return super()._build_item(typed | {"adopters": names})


class RelationsForm(ListForm):
    list_field, item_type, kind_labels = "related", RelatedProject, taxonomy.RELATIONS
    related = FieldList(
        FormField(RelatedForm), _l("Related project"), min_entries=1, max_entries=60
    )


class TranslationForm(ProjectSectionForm):
    """The text in the other language of the two."""

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
        """The service names a field of another language with it: `cy-title`."""
        fields = {name.partition("-")[2] or name: said for name, said in error.fields.items()}
        super().show(InvalidInputError(error.safe_text, fields))

    def to_input(self, text: ProjectInput) -> ProjectInput:
        said = {name: self[name].data or "" for name in TRANSLATED_FIELDS}
        return replace(text, translations={**text.translations, other_language(text): said})


def other_language(text: ProjectInput) -> str:
    """The language that a project is not written in."""
    return next(tag for tag in TEXT_LANGUAGES if tag != text.language)
