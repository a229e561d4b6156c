"""The forms for the sections of a project. Each reads and writes some fields of `ProjectInput`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    Field,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)

from node.errors import InvalidInputError
from node.forms import DateField, LongLineField, VersionedForm
from node.messages import Message, msg
from node.people.models import User
from node.projects import taxonomy
from node.projects.details import (
    Details,
    split_words,
)
from node.projects.validation import TEXT_LANGUAGES, TRANSLATED_FIELDS, ProjectInput

WORD_LIST_FIELDS = {"tags", "technologies", "skills"}
# Services named in an error when the words match several.
MAX_SERVICES_IN_ERROR = 3
NOT_GIVEN = SelectChoice("", _l("Not given"))


def _choices(labels: Any) -> list[SelectChoice]:
    return [NOT_GIVEN, *(SelectChoice(str(value), label) for value, label in labels.items())]


class ProjectSectionForm(VersionedForm):
    """The form for one section of a project."""

    def fill(self, project_input: ProjectInput) -> None:
        """Fill the fields from `text`."""
        for item in fields(Details):
            if item.name in self:
                value = getattr(project_input.details, item.name)
                displayed = ", ".join(value) if item.name in WORD_LIST_FIELDS else value
                self[item.name].process(
                    None,
                    "" if displayed is None and _is_choice_field(self[item.name]) else displayed,
                )

    def to_input(self, project_input: ProjectInput) -> ProjectInput:
        """`text` with the values that were entered."""
        entered = {
            item.name: self._field_value(item.name) for item in fields(Details) if item.name in self
        }
        return replace(project_input, details=replace(project_input.details, **entered))

    def _field_value(self, name: str) -> Any:
        value = self[name].data
        return split_words(value or "") if name in WORD_LIST_FIELDS else value


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

    def fill(self, project_input: ProjectInput) -> None:
        super().fill(project_input)
        self.brief.data = project_input.brief

    def to_input(self, project_input: ProjectInput) -> ProjectInput:
        brief = project_input.brief if self.brief.data is None else self.brief.data
        return replace(super().to_input(project_input), brief=brief)


class ProjectPlanForm(ProjectSectionForm):
    starts_on = DateField(_l("Start date"), description=_l("For example, 27 3 2027"))
    start_is_estimated = BooleanField(_l("The start date is estimated"))
    ends_on = DateField(_l("End date"))
    end_is_estimated = BooleanField(_l("The end date is estimated"))
    contract_ends_on = DateField(
        _l("Contract end date"),
        description=_l("Enter a date if the work depends on a contract that will end"),
    )
    assessment_on = DateField(_l("Next service assessment"))
    budget = RadioField(
        _l("Budget"), choices=_choices(taxonomy.BUDGET_LABELS), default="", validate_choice=False
    )
    collaboration = RadioField(
        _l("How you want to work with other councils"),
        choices=_choices(taxonomy.COLLABORATION_LABELS),
        default="",
        validate_choice=False,
    )

    def _field_value(self, name: str) -> Any:
        labels: dict[str, Any] = {
            "budget": taxonomy.BUDGET_LABELS,
            "collaboration": taxonomy.COLLABORATION_LABELS,
        }
        if name not in labels:
            return super()._field_value(name)
        return next((value for value in labels[name] if value == self[name].data), None)


class SubjectForm(ProjectSectionForm):
    capability = SelectField(
        _l("Capability"), choices=_choices(taxonomy.CAPABILITY_LABELS), validate_choice=False
    )
    business_area = SelectField(
        _l("Business area"), choices=_choices(taxonomy.BUSINESS_AREA_LABELS), validate_choice=False
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

    def fill(self, project_input: ProjectInput) -> None:
        """Adds an imported value that our lists lack as a choice, so that saving keeps it."""
        super().fill(project_input)
        for name in ("capability", "business_area"):
            word = getattr(project_input.details, name)
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
            names = "; ".join(
                f"{number} {name}" for number, name in services[:MAX_SERVICES_IN_ERROR]
            )
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

    def fill(self, project_input: ProjectInput) -> None:
        for name, value in project_input.translations.get(
            other_language(project_input), {}
        ).items():
            self[name].data = value

    def add_errors(self, error: InvalidInputError) -> None:
        """The service prefixes the fields of a translation with its language: `cy-title`."""
        fields = {name.partition("-")[2] or name: message for name, message in error.fields.items()}
        super().add_errors(InvalidInputError(error.safe_text, fields))

    def to_input(self, project_input: ProjectInput) -> ProjectInput:
        translation = {name: self[name].data or "" for name in TRANSLATED_FIELDS}
        return replace(
            project_input,
            translations={**project_input.translations, other_language(project_input): translation},
        )


def other_language(project_input: ProjectInput) -> str:
    """The language of the translation: the one that the project is not written in."""
    return next(tag for tag in TEXT_LANGUAGES if tag != project_input.language)
