"""The fields of a project as labelled text, as in its forms, for the history and for comparison."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import format_date
from flask_babel import gettext as _
from wtforms import BooleanField, Field, FieldList, HiddenField

from node.access.visibility import Visibility
from node.forms import DateField, iter_fields
from node.history.text_diff import DiffKind, DiffPiece, diff_texts
from node.projects.details import BRIEF_FIELDS
from node.projects.forms import LANGUAGE_LABELS, PHASE_LABELS, VISIBILITY_LABELS, ProjectForm
from node.projects.models import Phase
from node.projects.section_forms import other_language
from node.projects.sections import SECTIONS
from node.projects.validation import ProjectInput


@dataclass(frozen=True)
class FieldValue:
    """One field: its label, its value as text, and the language of the value if it has one."""

    label: str
    value: str
    language: str = ""


@dataclass(frozen=True)
class FieldChange:
    """A field whose value changed. `pieces` is the diff of both values."""

    label: str
    pieces: list[DiffPiece]
    language: str = ""


def list_values(project_input: ProjectInput) -> dict[str, FieldValue]:
    """The values of all fields of a project by name, in the order of its forms."""
    values = dict(_iter_main_fields(project_input))
    for section in SECTIONS.values():
        form = section.form(formdata=None, meta={"csrf": False})
        form.fill(project_input)
        is_translation = section.name == "translation"
        tag = other_language(project_input) if is_translation else project_input.language
        for field in form:
            if not isinstance(field, HiddenField):
                language = tag if is_translation or field.name in {"brief", *BRIEF_FIELDS} else ""
                name = f"{tag}-{field.name}" if is_translation else field.name
                values[name] = FieldValue(
                    _build_label(section.name, field, tag), _format_value(field), language
                )
    return values


def list_changes(before: ProjectInput, after: ProjectInput) -> list[FieldChange]:
    """The fields whose values differ, in the order of the forms."""
    old, new = list_values(before), list_values(after)
    empty = FieldValue("", "")
    changes = []
    for name in dict.fromkeys([*new, *old]):
        old_field, new_field = old.get(name, empty), new.get(name, empty)
        if old_field.value != new_field.value:
            label = new_field.label or old_field.label
            pieces = diff_texts(old_field.value, new_field.value)
            changes.append(FieldChange(label, pieces, new_field.language or old_field.language))
    return changes


def unchanged_pieces(part: FieldValue) -> list[DiffPiece]:
    """The value of a field as a diff without changes."""
    return [DiffPiece(DiffKind.same, part.value)] if part.value else []


def _iter_main_fields(project_input: ProjectInput) -> Iterator[tuple[str, FieldValue]]:
    labels = ProjectForm(formdata=None, meta={"csrf": False})
    values = {
        "title": project_input.title,
        "summary": project_input.summary,
        "phase": str(PHASE_LABELS[Phase(project_input.phase)]),
        "visibility": str(VISIBILITY_LABELS[Visibility(project_input.visibility)]),
        "language": str(LANGUAGE_LABELS.get(project_input.language, project_input.language)),
        "brief": project_input.brief,
    }
    for name, value in values.items():
        language = project_input.language if name in {"title", "summary", "brief"} else ""
        yield name, FieldValue(str(labels[name].label.text), value, language)


def _build_label(section: str, field: Field, tag: str) -> str:
    label = str(field.label.text)
    if section != "translation":
        return label
    return str(_("%(field)s in %(language)s", field=label, language=LANGUAGE_LABELS[tag]))


def _format_value(field: Field) -> str:
    if isinstance(field, FieldList):
        entries = (_format_entry(entry) for entry in field.entries)
        return "\n\n".join(entry for entry in entries if entry)
    if hasattr(field, "iter_choices"):
        chosen = [
            (value, label)
            for value, label, is_selected, *_more in field.iter_choices()
            if is_selected
        ]
        return ", ".join(str(label) for value, label in chosen if value)
    if isinstance(field, DateField):
        return str(format_date(field.data, "d MMMM y")) if field.data else ""
    if isinstance(field, BooleanField):
        return str(_("Yes")) if field.data else ""
    return str(field._value())


def _format_entry(entry: Field) -> str:
    """An entry of a list field, one line for each of its fields."""
    lines = (
        (str(field.label.text), _format_value(field))
        for field in iter_fields([entry])
        if not isinstance(field, HiddenField)
    )
    return "\n".join(f"{label}: {value}" for label, value in lines if value)
