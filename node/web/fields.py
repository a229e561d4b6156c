"""A WTForms field as the parameters of a GOV.UK component."""

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

from node.forms import DAY_PARTS, DayField, iter_fields

LABEL_CLASS = "govuk-label--s"
LEGEND_CLASS = "govuk-fieldset__legend--s"


def field_params(field: Field, hint: str | Markup = "", **more: Any) -> dict[str, Any]:
    """What every component with one input takes. `hint` replaces the field's description."""
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
    """What radios and checkboxes take. `hints` maps a choice's value to a line below it."""
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
    """All that is wrong with a form, in the order of its fields, each with its input's address.

    What is wrong with the form as a whole leads to the first field that can be seen.
    """
    first = next((field.id for field in form if not isinstance(field, HiddenField)), "")
    found: list[dict[str, Any]] = [
        {"text": error, "href": f"#{first}"} for error in dict.fromkeys(form.form_errors)
    ]
    for field in iter_fields(form):
        # A list of forms has for errors what its forms have.
        said = [] if isinstance(field, FieldList) else field.errors
        href = f"#{getattr(field, 'first_id', field.id)}"
        found += [{"text": error, "href": href} for error in said]
    return found


def day_params(field: DayField, hint: str | Markup = "") -> dict[str, Any]:
    """What a date input takes."""
    labels = {"day": _("Day"), "month": _("Month"), "year": _("Year")}
    wrong = " govuk-input--error" if field.errors else ""
    items = [
        {
            "id": f"{field.id}-{part}",
            "name": part,
            "label": labels[part],
            "value": typed,
            "classes": f"govuk-input--width-{4 if part == 'year' else 2}{wrong}",
        }
        for part, typed in zip(DAY_PARTS, field.typed, strict=True)
    ]
    params = {"id": field.id, "namePrefix": field.name, "items": items}
    legend = {"fieldset": {"legend": {"text": field.label.text, "classes": LEGEND_CLASS}}}
    return params | legend | _hint_and_error(field, hint)


def displayed_values(form: Form) -> list[tuple[str, str]]:
    """What stands in the fields of a form that a person sees, each with its label."""
    found = []
    for field in iter_fields(form):
        if isinstance(field, HiddenField | FieldList):
            continue
        if hasattr(field, "iter_choices"):
            chosen = [
                str(label) for _value, label, is_chosen, *_rest in field.iter_choices() if is_chosen
            ]
            found.append((str(field.label.text), ", ".join(chosen)))
        elif isinstance(field, BooleanField):
            found.append((str(field.label.text), _("Yes") if field.data else _("No")))
        else:
            found.append((str(field.label.text), field._value()))
    return found


def component_of(field: Field) -> str:
    """The component that a field is drawn with."""
    kinds = (
        (DayField, "day"),
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
    around: dict[str, Any] = {}
    if hint or field.description:
        around["hint"] = {"text": hint or field.description}
    if field.errors:
        around["errorMessage"] = {"text": field.errors[0]}
    return around
