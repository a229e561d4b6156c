"""A WTForms field as the parameters of a GOV.UK component."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from wtforms import Field, Form, FormField, HiddenField

LABEL = "govuk-label--s"
LEGEND = "govuk-fieldset__legend--s"


def field_params(field: Field, hint: str | Markup = "", **more: Any) -> dict[str, Any]:
    """What every component with one input takes. `hint` replaces the field's description."""
    params = {
        "id": field.id,
        "name": field.name,
        "label": {"text": field.label.text, "classes": LABEL},
        "value": field._value() if hasattr(field, "_value") else field.data,
    }
    return params | _around(field, hint) | more


def choice_params(
    field: Field, hint: str | Markup = "", hints: Mapping[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """What radios and checkboxes take. `hints` maps a choice's value to a line below it."""
    items = []
    for value, label, selected, _ in field.iter_choices():
        item: dict[str, Any] = {"value": str(value), "text": label, "checked": selected}
        if hints and value in hints:
            item["hint"] = {"text": hints[value]}
        items.append(item)
    params = {"idPrefix": field.id, "name": field.name, "items": items}
    return (
        params
        | {"fieldset": {"legend": {"text": field.label.text, "classes": LEGEND}}}
        | _around(field, hint)
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
    for field in form:
        for part in field if isinstance(field, FormField) else (field,):
            found += [{"text": error, "href": f"#{part.id}"} for error in part.errors]
    return found


def _around(field: Field, hint: str | Markup) -> dict[str, Any]:
    around: dict[str, Any] = {}
    if hint or field.description:
        around["hint"] = {"text": hint or field.description}
    if field.errors:
        around["errorMessage"] = {"text": field.errors[0]}
    return around
