"""Finding plugins that are installed, loading them, and checking what they say of themselves."""

import re
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import click
import pluggy

from node.db import Base
from node.errors import MoothallError, SettingsError
from node.hookspecs import API_VERSION
from node.plugin_declarations import (
    Check,
    DocumentType,
    Facet,
    NavigationItem,
    NotificationType,
    Permission,
    PluginDetails,
    ScheduledJob,
    Setting,
)

ENTRY_POINTS = "moothall.plugins"
PLUGIN_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
MAX_LEN_PLUGIN_NAME = 40
SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
TYPE_NAME = re.compile(r"[A-Z][A-Za-z]{2,39}")
# Types of the field, and of the node itself, of which plugins have none.
RESERVED_TYPES = frozenset(
    {"Article", "Document", "Note", "Tombstone", "Collection", "OrderedCollection", "Page"}
    | {"CollectionPage", "OrderedCollectionPage", "Person", "Group", "Organization", "Service"}
    | {"Application", "Place", "Event", "Question", "Image", "Video", "Audio", "Relationship"}
)


class UnusablePluginError(MoothallError):
    """A plugin that cannot be used is left out: the text says which and why, in one line."""

    code = "plugin"


def installed_plugins() -> dict[str, EntryPoint]:
    """The plugins that are installed, by name, whether they are switched on or not."""
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def load_plugin(name: str, manager: pluggy.PluginManager) -> PluginDetails:
    """Load a plugin and have `manager` know its hooks.

    Raises `UnusablePluginError` for one that has to be left out, and `SettingsError` for one with a
    hook that does not exist or does not fit: its author misspelt something, and a node that goes on
    would do less than it seems to.
    """
    point = installed_plugins().get(name)
    if point is None:
        raise UnusablePluginError(f"The plugin {name} is switched on but not installed.")
    module = _import_plugin(point)
    details = _read_details(name, module)
    _check_table_names(point)
    try:
        manager.register(module, name=name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        # pluggy's text spans lines and shows where the module lies on this machine.
        text = " ".join(str(error).replace(repr(error.plugin), name).split())
        raise SettingsError(f"The plugin {name} has a hook that does not fit: {text}.") from error
    return details


def summarise_error(error: Exception) -> str:
    """The type and the first line of an error in a plugin's own code, for the operator."""
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def check_registration(plugin: str, hook: str, item: Any) -> None:
    """Raises `ValueError` for what `hook` cannot give, or not by this name."""
    kind, check_name = REGISTRATION_HOOKS[hook]
    if not isinstance(item, kind):
        raise ValueError(f"{item!r:.80} is not a {kind.__name__}")  # noqa: TRY004
    check_name(plugin, item)


def _import_plugin(point: EntryPoint) -> ModuleType:
    if not PLUGIN_NAME.fullmatch(point.name) or len(point.name) > MAX_LEN_PLUGIN_NAME:
        raise UnusablePluginError(
            f"The plugin {point.name} needs a name of small letters, digits and single underscores."
        )
    try:
        module = point.load()
    except Exception as error:  # whatever a stranger's module raises
        _discard_unmapped_models()
        raise UnusablePluginError(
            f"The plugin {point.name} cannot be loaded: {summarise_error(error)}."
        ) from error
    if not isinstance(module, ModuleType):
        raise UnusablePluginError(f"The plugin {point.name} must be a module: {point.value}.")
    return module


def _discard_unmapped_models() -> None:
    """A model whose table is somebody else's stops half way, and would be in everybody's way."""
    made = Base.registry._managers
    for manager in [each for each in made if not each.is_mapped]:
        del made[manager]


def _read_details(name: str, module: ModuleType) -> PluginDetails:
    """Asked before pluggy sees the module: one for another API version may not fit our hooks."""
    try:
        details = module.plugin_details()
    except Exception as error:  # as above
        raise UnusablePluginError(
            f"The plugin {name} does not say who it is: {summarise_error(error)}."
        ) from error
    if not isinstance(details, PluginDetails) or details.name != name:
        raise UnusablePluginError(f"The plugin {name} gives details that are not its own.")
    if details.api_version != API_VERSION:
        raise UnusablePluginError(
            f"The plugin {name} is made for version {details.api_version} of the plugin interface;"
            f" this node has version {API_VERSION}."
        )
    return details


def _check_table_names(point: EntryPoint) -> None:
    """Look at the tables of every model that was defined in the plugin's package."""
    package = point.module.rpartition(".")[0] or point.module
    for mapper in Base.registry.mappers:
        if not f"{mapper.class_.__module__}.".startswith(f"{package}."):
            continue
        for table in mapper.tables:
            if not str(table).startswith(f"{point.name}__"):
                raise UnusablePluginError(
                    f"The plugin {point.name} has a table {table} without its name."
                )


def _accept_any_name(_plugin: str, _item: Any) -> None:
    """It has no name of its own, or needs none that fits."""


def _check_dotted_name(plugin: str, item: Permission | NotificationType) -> None:
    if not item.name.startswith(f"{plugin}."):
        raise ValueError(f"{item.name} does not begin with {plugin}.")


def _check_slug(_plugin: str, item: Facet | Setting | ScheduledJob) -> None:
    if not SLUG.fullmatch(item.name):
        raise ValueError(f"{item.name} is not a word of small letters, digits, - and _")
    for value in getattr(item, "choices", ()):
        if not SLUG.fullmatch(value):
            raise ValueError(f"{item.name} has a choice that is no such word: {value}")


def _check_activity_type(_plugin: str, item: str) -> None:
    if not TYPE_NAME.fullmatch(item):
        raise ValueError(f"{item} is not the name of a type")


def _check_document_type(_plugin: str, item: DocumentType) -> None:
    if not TYPE_NAME.fullmatch(item.name) or item.name in RESERVED_TYPES:
        raise ValueError(f"{item.name} is not a name for a type of one's own")


# What the hooks give that are asked once, and how it may be called.
REGISTRATION_HOOKS: Mapping[str, tuple[type, Callable[[str, Any], None]]] = {
    "register_navigation": (NavigationItem, _accept_any_name),
    "register_permissions": (Permission, _check_dotted_name),
    "register_documents": (DocumentType, _check_document_type),
    "register_activities": (str, _check_activity_type),
    "register_facets": (Facet, _check_slug),
    "register_settings": (Setting, _check_slug),
    "register_commands": (click.Command, _accept_any_name),
    "register_jobs": (ScheduledJob, _check_slug),
    "register_checks": (Check, _accept_any_name),
    "register_notifications": (NotificationType, _check_dotted_name),
}
