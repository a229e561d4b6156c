"""All that is written of a project, field by field, in the words of the forms in which it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import format_date
from flask_babel import gettext as _
from wtforms import BooleanField, Field, FieldList, HiddenField

from node.forms import DayField, iter_fields
from node.history.text_diff import DiffKind, DiffPiece, diff_texts
from node.projects.details import BRIEF
from node.projects.forms import LANGUAGE_LABELS, PHASE_LABELS, VISIBILITY_LABELS, ProjectForm
from node.projects.models import Phase, Visibility
from node.projects.section_forms import other_language
from node.projects.sections import SECTIONS
from node.projects.validation import ProjectInput


@dataclass(frozen=True)
class FieldValue:
    """One field: what it is called, what stands in it, and the language of that, if it has one."""

    label: str
    value: str
    language: str = ""


@dataclass(frozen=True)
class FieldChange:
    """A field that says something else. `pieces` are of both texts."""

    label: str
    pieces: list[DiffPiece]
    language: str = ""


def list_values(text: ProjectInput) -> dict[str, FieldValue]:
    """Every field of a project with what stands in it, by name."""
    found = dict(_main_fields(text))
    for section in SECTIONS.values():
        form = section.form(formdata=None, meta={"csrf": False})
        form.fill(text)
        is_other = section.name == "translation"
        tag = other_language(text) if is_other else text.language
        for field in form:
            if not isinstance(field, HiddenField):
                language = tag if is_other or field.name in {"brief", *BRIEF} else ""
                name = f"{tag}-{field.name}" if is_other else field.name
                found[name] = FieldValue(_label(section.name, field, tag), _value(field), language)
    return found


def list_changes(before: ProjectInput, after: ProjectInput) -> list[FieldChange]:
    """What is said differently, in the order in which a project is written."""
    old, new = list_values(before), list_values(after)
    nothing = FieldValue("", "")
    found = []
    for name in dict.fromkeys([*new, *old]):
        was, is_now = old.get(name, nothing), new.get(name, nothing)
        if was.value != is_now.value:
            label, language = is_now.label or was.label, is_now.language or was.language
            found.append(FieldChange(label, diff_texts(was.value, is_now.value), language))
    return found


def unchanged_pieces(part: FieldValue) -> list[DiffPiece]:
    """What stands in a field, with nothing changed."""
    return [DiffPiece(DiffKind.same, part.value)] if part.value else []


def _main_fields(text: ProjectInput) -> Iterator[tuple[str, FieldValue]]:
    labels = ProjectForm(formdata=None, meta={"csrf": False})
    shown = {
        "title": text.title,
        "summary": text.summary,
        "phase": str(PHASE_LABELS[Phase(text.phase)]),
        "visibility": str(VISIBILITY_LABELS[Visibility(text.visibility)]),
        "language": str(LANGUAGE_LABELS.get(text.language, text.language)),
        "brief": text.brief,
    }
    for name, value in shown.items():
        language = text.language if name in {"title", "summary", "brief"} else ""
        yield name, FieldValue(str(labels[name].label.text), value, language)


def _label(section: str, field: Field, tag: str) -> str:
    label = str(field.label.text)
    if section != "translation":
        return label
    return str(_("%(field)s in %(language)s", field=label, language=LANGUAGE_LABELS[tag]))


def _value(field: Field) -> str:
    if isinstance(field, FieldList):
        entries = (_entry(entry) for entry in field.entries)
        return "\n\n".join(entry for entry in entries if entry)
    if hasattr(field, "iter_choices"):
        chosen = [(value, label) for value, label, is_it, *_more in field.iter_choices() if is_it]
        return ", ".join(str(label) for value, label in chosen if value)
    if isinstance(field, DayField):
        return str(format_date(field.data, "d MMMM y")) if field.data else ""
    if isinstance(field, BooleanField):
        return str(_("Yes")) if field.data else ""
    return str(field._value())


def _entry(entry: Field) -> str:
    """One of several, a line for each of its fields."""
    shown = (
        (str(part.label.text), _value(part))
        for part in iter_fields([entry])
        if not isinstance(part, HiddenField)
    )
    return "\n".join(f"{label}: {value}" for label, value in shown if value)
