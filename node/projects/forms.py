"""The form for the main fields of a project."""

from dataclasses import replace

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectChoice, StringField, TextAreaField

from node.access.visibility import Visibility
from node.forms import LongLineField, VersionedForm
from node.projects.models import Phase, Project
from node.projects.validation import ProjectInput


class PhaseLabels(dict[str, LazyString | str]):
    """Labels of phases. A phase that only a later version knows is labelled with its own word."""

    def __missing__(self, phase: str) -> str:
        return phase.replace("-", " ").capitalize()


PHASE_LABELS = PhaseLabels(
    {
        Phase.concept: _l("Concept"),
        Phase.discovery: _l("Discovery"),
        Phase.alpha: _l("Alpha"),
        Phase.beta: _l("Beta"),
        Phase.live: _l("Live"),
        Phase.retired: _l("Retired"),
    }
)
VISIBILITY_LABELS = {
    Visibility.public: _l("Everyone"),
    Visibility.peers: _l("Councils we work with"),
    Visibility.private: _l("Only our council"),
}
LANGUAGE_LABELS = {"en": _l("English"), "cy": _l("Welsh")}


class ProjectForm(VersionedForm):
    """The main fields of a project. `once` is the idempotency key (`idempotency.issue_key`)."""

    once = HiddenField()
    title = StringField(_l("Project name"))
    summary = LongLineField(
        _l("Summary"), description=_l("One sentence saying what the project does and who it is for")
    )
    phase = RadioField(
        _l("Phase"),
        choices=[SelectChoice(str(phase), label) for phase, label in PHASE_LABELS.items()],
        validate_choice=False,
    )
    brief = TextAreaField(
        _l("Brief"),
        description=_l(
            "Why the work is being done, the problem to be solved, who the users "
            "are and what they need. You can use Markdown."
        ),
    )
    language = RadioField(
        _l("Language of the text"),
        choices=[SelectChoice(tag, label) for tag, label in LANGUAGE_LABELS.items()],
        default="en",
        validate_choice=False,
    )
    visibility = RadioField(
        _l("Who can see this"),
        choices=[SelectChoice(word.value, label) for word, label in VISIBILITY_LABELS.items()],
        default=Visibility.public.value,
        validate_choice=False,
    )

    def to_input(self, project_input: ProjectInput | None = None) -> ProjectInput:
        """`text`, or a new `ProjectInput`, with the values that were entered."""
        return replace(
            project_input or ProjectInput("", "", "", ""),
            title=self.title.data or "",
            summary=self.summary.data or "",
            phase=self.phase.data or "",
            brief=self.brief.data or "",
            visibility=self.visibility.data or "",
            language=self.language.data or "",
        )

    def fill(self, project: Project) -> None:
        self.title.data, self.summary.data = project.title, project.summary
        self.phase.data, self.brief.data = project.phase.value, project.brief
        self.visibility.data, self.language.data = project.visibility.value, project.language
        self.version.data = str(project.version)
