"""The sections of a project: each is edited on a page of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from node.projects import list_forms, section_forms
from node.projects.details import BRIEF_FIELDS, Details
from node.projects.models import Phase
from node.projects.section_forms import ProjectSectionForm
from node.projects.validation import ProjectInput

# Phases in which a project is not yet asked for evidence of user needs.
EARLY_PHASES = {Phase.concept.value, Phase.discovery.value}
PLAN_FIELDS = (
    "starts_on",
    "ends_on",
    "contract_ends_on",
    "assessment_on",
    "budget",
    "collaboration",
)
SUBJECT_FIELDS = ("capability", "business_area", "lgsl", "tags", "technologies", "skills")


@dataclass(frozen=True)
class ProjectSection:
    """A section of a project. `has_content` tells whether anything is entered in it."""

    name: str
    label: LazyString
    about: LazyString
    form: type[ProjectSectionForm]
    has_content: Callable[[ProjectInput], bool]


def _has_any(*names: str) -> Callable[[ProjectInput], bool]:
    return lambda text: any(getattr(text.details, name) for name in names)


SECTIONS = {
    section.name: section
    for section in (
        ProjectSection(
            "brief",
            _l("Brief"),
            _l("Why the work is being done, the problem, the users and the work already done"),
            section_forms.BriefForm,
            lambda text: bool(text.brief) or _has_any(*BRIEF_FIELDS)(text),
        ),
        ProjectSection(
            "needs",
            _l("User needs"),
            _l("What users need, and how you know"),
            list_forms.UserNeedsForm,
            _has_any("user_needs"),
        ),
        ProjectSection(
            "plan",
            _l("Dates, budget and working with others"),
            _l("When the work happens, what it costs and how you want to work with other councils"),
            section_forms.ProjectPlanForm,
            _has_any(*PLAN_FIELDS),
        ),
        ProjectSection(
            "people",
            _l("Department and contact"),
            _l("Who is doing the work, and who to contact"),
            section_forms.PeopleForm,
            _has_any("department", "contact_name", "contact_email"),
        ),
        ProjectSection(
            "subject",
            _l("Subject"),
            _l("Capability, business area, service, tags, technologies and skills wanted"),
            section_forms.SubjectForm,
            _has_any(*SUBJECT_FIELDS),
        ),
        ProjectSection(
            "links",
            _l("Links"),
            _l("Code repository, board, chat, website and service assessments"),
            list_forms.LinksForm,
            _has_any("links"),
        ),
        ProjectSection(
            "outputs",
            _l("Outputs"),
            _l("What others can reuse, and under which licence"),
            list_forms.OutputsForm,
            _has_any("outputs"),
        ),
        ProjectSection(
            "related",
            _l("Related projects"),
            _l("Projects that meet the same need, that this one is based on, or that continue it"),
            list_forms.RelationsForm,
            _has_any("related"),
        ),
        ProjectSection(
            "translation",
            _l("Welsh or English version"),
            _l("The project’s text in the other language"),
            section_forms.TranslationForm,
            lambda text: bool(text.translations),
        ),
    )
}


@dataclass(frozen=True)
class SectionStatus:
    """A section in one project. `is_asked`: the phase requires it, and it is missing."""

    section: ProjectSection
    has_content: bool
    is_asked: bool


def section_statuses(project_input: ProjectInput) -> list[SectionStatus]:
    """The status of every section, in the order of the pages."""
    return [
        SectionStatus(
            section,
            section.has_content(project_input),
            section.name == "needs" and lacks_evidence(project_input),
        )
        for section in SECTIONS.values()
    ]


def lacks_evidence(project_input: ProjectInput) -> bool:
    """Whether a project past discovery has no evidence for its user needs."""
    return project_input.phase not in EARLY_PHASES and not has_evidence(project_input.details)


def has_evidence(details: Details) -> bool:
    return any(need.evidence or need.evidence_url for need in details.user_needs)


def next_section(name: str) -> str | None:
    """The name of the section after this one; None after the last."""
    names: list[Any] = [*SECTIONS, None]
    next_name: str | None = names[names.index(name) + 1]
    return next_name
