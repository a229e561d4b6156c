"""The parts of a project, each a page of its own to write, and what of them is there yet."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from node.projects import section_forms
from node.projects.details import BRIEF, Details
from node.projects.models import Phase
from node.projects.section_forms import SectionForm
from node.projects.writing import Text

# Phases before and in which nobody is asked yet how the needs are known.
FINDING_OUT = {Phase.concept.value, Phase.discovery.value}
PLAN = ("starts_on", "ends_on", "contract_ends_on", "assessment_on", "budget", "collaboration")
SUBJECT = ("capability", "business_area", "lgsl", "tags", "technologies", "skills")


@dataclass(frozen=True)
class Section:
    """A part of a project. `is_there` says whether anything of it is written."""

    name: str
    label: LazyString
    about: LazyString
    form: type[SectionForm]
    is_there: Callable[[Text], bool]


def _any(*names: str) -> Callable[[Text], bool]:
    return lambda text: any(getattr(text.details, name) for name in names)


SECTIONS = {
    section.name: section
    for section in (
        Section(
            "brief",
            _l("Brief"),
            _l("Why the work is being done, the problem, the users and the work already done"),
            section_forms.BriefForm,
            lambda text: bool(text.brief) or _any(*BRIEF)(text),
        ),
        Section(
            "needs",
            _l("User needs"),
            _l("What users need, and how you know"),
            section_forms.NeedsForm,
            _any("user_needs"),
        ),
        Section(
            "plan",
            _l("Dates, budget and working with others"),
            _l("When the work happens, what it costs and how you want to work with other councils"),
            section_forms.PlanForm,
            _any(*PLAN),
        ),
        Section(
            "people",
            _l("Department and contact"),
            _l("Who is doing the work, and who to contact"),
            section_forms.PeopleForm,
            _any("department", "contact_name", "contact_email"),
        ),
        Section(
            "subject",
            _l("Subject"),
            _l("Capability, business area, service, tags, technologies and skills wanted"),
            section_forms.SubjectForm,
            _any(*SUBJECT),
        ),
        Section(
            "links",
            _l("Links"),
            _l("Code repository, board, chat, website and service assessments"),
            section_forms.LinksForm,
            _any("links"),
        ),
        Section(
            "outputs",
            _l("Outputs"),
            _l("What others can reuse, and under which licence"),
            section_forms.OutputsForm,
            _any("outputs"),
        ),
        Section(
            "related",
            _l("Related projects"),
            _l("Projects that meet the same need, that this one is based on, or that continue it"),
            section_forms.RelationsForm,
            _any("related"),
        ),
        Section(
            "translation",
            _l("Welsh or English version"),
            _l("The project’s text in the other language"),
            section_forms.TranslationForm,
            lambda text: bool(text.translations),
        ),
    )
}


@dataclass(frozen=True)
class Part:
    """A section as it stands in one project. `is_asked`: its phase asks for it, and it lacks."""

    section: Section
    is_there: bool
    is_asked: bool


def parts(text: Text) -> list[Part]:
    """Every section with what is there of it."""
    return [
        Part(section, section.is_there(text), section.name == "needs" and lacks_evidence(text))
        for section in SECTIONS.values()
    ]


def lacks_evidence(text: Text) -> bool:
    """Whether a project past discovery does not say what its users need, and how that is known."""
    return text.phase not in FINDING_OUT and not has_evidence(text.details)


def has_evidence(said: Details) -> bool:
    return any(need.evidence or need.evidence_url for need in said.user_needs)


def after(name: str) -> str | None:
    """The section that comes after this one; None after the last."""
    names: list[Any] = [*SECTIONS, None]
    following: str | None = names[names.index(name) + 1]
    return following
