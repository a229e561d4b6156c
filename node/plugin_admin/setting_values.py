"""What the operator set of what plugins declare."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from node.errors import InvalidInputError
from node.hooks import Hooks
from node.messages import Message, msg
from node.plugin_admin.models import PluginSettingValue
from node.plugin_declarations import Setting
from node.runtime import UnitOfWork
from node.text import misfit, trim

MAX_LENGTHS = {"line": 500, "text": 10_000}


def get_value(session: Session, hooks: Hooks, plugin: str, name: str) -> str | int | bool:
    """What was set, or else the default. Raises `KeyError` for what the plugin does not declare."""
    setting = hooks.setting(plugin, name)
    if setting is None:
        raise KeyError(f"{plugin} declares no setting {name}")
    mine = PluginSettingValue.plugin == plugin, PluginSettingValue.name == name
    value: Any = session.scalar(select(PluginSettingValue.value).where(*mine))
    return value if _is_valid(setting, value) else setting.default


def set_values(work: UnitOfWork, plugin: str, given: Mapping[str, Any]) -> None:
    """Set what the plugin declares, all of it, as people typed it.

    Raises `InvalidInputError` with everything that does not fit.
    """
    hooks, wrong = work.node.hooks, {}
    values: dict[str, str | int | bool] = {}
    settings: list[Setting] = hooks.registered_by(plugin, "register_settings")
    for setting in settings:
        value = _parse(setting, given.get(setting.name))
        if why := _find_error(setting, value):
            wrong[setting.name] = why
        else:
            values[setting.name] = value
    if wrong:
        raise InvalidInputError(msg("The settings could not be saved."), wrong)
    changed = {
        name: value
        for name, value in values.items()
        if get_value(work.session, hooks, plugin, name) != value
    }
    for name, value in changed.items():
        work.session.merge(PluginSettingValue(plugin=plugin, name=name, value=value))
    if changed:
        work.audit("plugin.set", plugin, values=changed)


def _parse(setting: Setting, given: Any) -> Any:
    if setting.kind == "yes_no":
        return bool(given)
    text = trim(str(given or ""))
    if setting.kind == "number":
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
    return text


def _find_error(setting: Setting, value: Any) -> Message | None:
    if _is_valid(setting, value):
        return None
    if setting.kind == "number":
        return msg(
            "Enter a whole number from %(least)s to %(most)s",
            least=setting.least,
            most=setting.most,
        )
    if setting.kind == "choice":
        return msg("Select one of the options")
    return _find_text_error(setting, value)


def _find_text_error(setting: Setting, text: str) -> Message | None:
    return misfit(text, MAX_LENGTHS[setting.kind], lines=setting.kind == "text")


def _is_valid(setting: Setting, value: Any) -> bool:
    """Whether a value is one that the setting may have, as the plugin declares it now."""
    match setting.kind:
        case "yes_no":
            return isinstance(value, bool)
        case "number":
            is_whole = isinstance(value, int) and not isinstance(value, bool)
            return is_whole and setting.least <= value <= setting.most
        case "choice":
            return value in setting.choices
        case _:
            return isinstance(value, str) and _find_text_error(setting, value) is None
