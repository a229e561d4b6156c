"""Converts WTForms fields to the parameters of GOV.UK components."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup
from wtforms import (
    BooleanField,
    Field,
    FieldList,
    Form,
    FormField,
    HiddenField,
    RadioField,
    SelectField,
    TextAreaField,
)

from node.forms import DAY_PARTS, DateField, iter_fields

LABEL_CLASS = "govuk-label--s"
LEGEND_CLASS = "govuk-fieldset__legend--s"


def field_params(field: Field, hint: str | Markup = "", **more: Any) -> dict[str, Any]:
    """Parameters of a component with one input. `hint` replaces the field's description."""
    params = {
        "id": field.id,
        "name": field.name,
        "label": {"text": field.label.text, "classes": LABEL_CLASS},
        "value": field._value() if hasattr(field, "_value") else field.data,
    }
    return params | _hint_and_error(field, hint) | more


def choice_params(
    field: Field, hint: str | Markup = "", hints: Mapping[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """Parameters of radios and checkboxes. `hints` maps a choice's value to its hint."""
    items = []
    for value, label, selected, *_rest in field.iter_choices():
        item: dict[str, Any] = {"value": str(value), "text": label, "checked": selected}
        if hints and value in hints:
            item["hint"] = {"text": hints[value]}
        items.append(item)
    params = {"idPrefix": field.id, "name": field.name, "items": items}
    return (
        params
        | {"fieldset": {"legend": {"text": field.label.text, "classes": LEGEND_CLASS}}}
        | _hint_and_error(field, hint)
        | more
    )


def error_list(form: Form) -> list[dict[str, Any]]:
    """The items of the error summary, in the order of the fields, each with a link to its input.

    Errors of the form as a whole link to the first visible field.
    """
    first_id = next((field.id for field in form if not isinstance(field, HiddenField)), "")
    items: list[dict[str, Any]] = [
        {"text": error, "href": f"#{first_id}"} for error in dict.fromkeys(form.form_errors)
    ]
    for field in iter_fields(form):
        # The errors of a list are those of its entries, which `iter_fields` yields too.
        errors = [] if isinstance(field, FieldList) else field.errors
        href = f"#{getattr(field, 'first_id', field.id)}"
        items += [{"text": error, "href": href} for error in errors]
    return items


def day_params(field: DateField, hint: str | Markup = "") -> dict[str, Any]:
    """Parameters of a date input."""
    labels = {"day": _("Day"), "month": _("Month"), "year": _("Year")}
    error_class = " govuk-input--error" if field.errors else ""
    items = [
        {
            "id": f"{field.id}-{part}",
            "name": part,
            "label": labels[part],
            "value": typed,
            "classes": f"govuk-input--width-{4 if part == 'year' else 2}{error_class}",
        }
        for part, typed in zip(DAY_PARTS, field.raw_parts, strict=True)
    ]
    params = {"id": field.id, "namePrefix": field.name, "items": items}
    legend = {"fieldset": {"legend": {"text": field.label.text, "classes": LEGEND_CLASS}}}
    return params | legend | _hint_and_error(field, hint)


def displayed_values(form: Form) -> list[tuple[str, str]]:
    """The labels and values of a form's visible fields, as text."""
    values = []
    for field in iter_fields(form):
        if isinstance(field, HiddenField | FieldList):
            continue
        if hasattr(field, "iter_choices"):
            selected = [
                str(label)
                for _value, label, is_selected, *_rest in field.iter_choices()
                if is_selected
            ]
            values.append((str(field.label.text), ", ".join(selected)))
        elif isinstance(field, BooleanField):
            values.append((str(field.label.text), _("Yes") if field.data else _("No")))
        else:
            values.append((str(field.label.text), field._value()))
    return values


def component_of(field: Field) -> str:
    """The name of the component that renders a field."""
    kinds = (
        (DateField, "day"),
        (FieldList, "list"),
        (FormField, "form"),
        (RadioField, "radios"),
        (SelectField, "select"),
        (BooleanField, "checkbox"),
        (TextAreaField, "textarea"),
        (HiddenField, "hidden"),
    )
    return next((kind for type_, kind in kinds if isinstance(field, type_)), "text")


def _hint_and_error(field: Field, hint: str | Markup) -> dict[str, Any]:
    params: dict[str, Any] = {}
    if hint or field.description:
        params["hint"] = {"text": hint or field.description}
    if field.errors:
        params["errorMessage"] = {"text": field.errors[0]}
    return params
