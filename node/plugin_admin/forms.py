"""The form with which an operator changes the settings that a plugin declares."""

from collections.abc import Mapping
from typing import Any

from wtforms import BooleanField, SelectChoice, SelectField, StringField, TextAreaField

from node.forms import BaseForm
from node.plugin_api.declarations import Setting

FIELD_TYPES: Mapping[str, Any] = {
    "line": StringField,
    "number": StringField,
    "text": TextAreaField,
    "yes_no": BooleanField,
}


def settings_form(settings: list[Setting], values: Mapping[str, Any] | None = None) -> BaseForm:
    """A form with one field per setting, named after the setting and filled from `values`."""
    fields = {setting.name: _field(setting) for setting in settings}
    form: BaseForm = type("SettingsForm", (BaseForm,), fields)()
    for name, value in (values or {}).items():
        form[name].data = value if isinstance(value, bool) else str(value)
    return form


def _field(setting: Setting) -> Any:
    options = {"description": setting.hint}
    if setting.kind == "choice":
        choices = [SelectChoice(value, label) for value, label in setting.choices.items()]
        return SelectField(setting.label, choices=choices, validate_choice=False, **options)
    return FIELD_TYPES[setting.kind](setting.label, **options)
