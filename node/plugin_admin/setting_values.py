"""The values that the operator set for the settings that plugins declare."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from node.errors import InvalidInputError
from node.messages import Message, msg
from node.plugin_admin.models import PluginSettingValue
from node.plugin_api.declarations import Setting
from node.plugin_api.hooks import Hooks
from node.runtime import UnitOfWork
from node.text import find_text_error, trim

# Characters, by the kind of the setting.
MAX_LENGTHS = {"line": 500, "text": 10_000}


def get_value(session: Session, hooks: Hooks, plugin: str, name: str) -> str | int | bool:
    """The value that was set, or the default if there is none or the stored one is no longer valid.
    Raises `KeyError` if the plugin declares no such setting.
    """
    setting = hooks.setting(plugin, name)
    if setting is None:
        raise KeyError(f"{plugin} declares no setting {name}")
    is_setting = PluginSettingValue.plugin == plugin, PluginSettingValue.name == name
    value: Any = session.scalar(select(PluginSettingValue.value).where(*is_setting))
    return value if _is_valid(setting, value) else setting.default


def set_values(work: UnitOfWork, plugin: str, form_values: Mapping[str, Any]) -> None:
    """Set all settings of a plugin from the values of a form.

    Only changes are stored and audited. Raises `InvalidInputError` with an error for each invalid
    value.
    """
    hooks, errors = work.node.hooks, {}
    values: dict[str, str | int | bool] = {}
    settings: list[Setting] = hooks.list_registered_by(plugin, "register_settings")
    for setting in settings:
        value = _parse(setting, form_values.get(setting.name))
        if error := _find_error(setting, value):
            errors[setting.name] = error
        else:
            values[setting.name] = value
    if errors:
        raise InvalidInputError(msg("The settings could not be saved."), errors)
    changes = {
        name: value
        for name, value in values.items()
        if get_value(work.session, hooks, plugin, name) != value
    }
    for name, value in changes.items():
        work.session.merge(PluginSettingValue(plugin=plugin, name=name, value=value))
    if changes:
        work.audit("plugin.set", plugin, values=changes)


def _parse(setting: Setting, raw: Any) -> Any:
    if setting.kind == "yes_no":
        return bool(raw)
    text = trim(str(raw or ""))
    if setting.kind == "number":
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
    return text


def _find_error(setting: Setting, value: Any) -> Message | None:
    if _is_valid(setting, value):
        return None
    if setting.kind == "number":
        return msg(
            "Enter a whole number from %(least)s to %(most)s",
            least=setting.minimum,
            most=setting.maximum,
        )
    if setting.kind == "choice":
        return msg("Select one of the options")
    return _find_text_error(setting, value)


def _find_text_error(setting: Setting, text: str) -> Message | None:
    return find_text_error(text, MAX_LENGTHS[setting.kind], lines=setting.kind == "text")


def _is_valid(setting: Setting, value: Any) -> bool:
    """Whether a value is valid for the setting as the plugin declares it now."""
    match setting.kind:
        case "yes_no":
            return isinstance(value, bool)
        case "number":
            is_whole = isinstance(value, int) and not isinstance(value, bool)
            return is_whole and setting.minimum <= value <= setting.maximum
        case "choice":
            return value in setting.choices
        case _:
            return isinstance(value, str) and _find_text_error(setting, value) is None
