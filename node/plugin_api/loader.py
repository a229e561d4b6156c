"""Finds installed plugins, loads them, and validates what they declare."""

import re
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import click
import pluggy

from node.database.tables import Base
from node.errors import MoothallError, SettingsError
from node.plugin_api.declarations import (
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
from node.plugin_api.hookspecs import API_VERSION

ENTRY_POINTS = "moothall.plugins"
PLUGIN_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
MAX_LEN_PLUGIN_NAME = 40
SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
TYPE_NAME = re.compile(r"[A-Z][A-Za-z]{2,39}")
# Types of ActivityStreams and of the node itself, which plugins must not declare.
RESERVED_TYPES = frozenset(
    {"Article", "Document", "Note", "Tombstone", "Collection", "OrderedCollection", "Page"}
    | {"CollectionPage", "OrderedCollectionPage", "Person", "Group", "Organization", "Service"}
    | {"Application", "Place", "Event", "Question", "Image", "Video", "Audio", "Relationship"}
)


class UnusablePluginError(MoothallError):
    """A plugin cannot be used and is skipped. The text names the plugin and the reason."""

    code = "plugin"


def installed_plugins() -> dict[str, EntryPoint]:
    """The entry points of all installed plugins by name, whether they are enabled or not."""
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def load_plugin(name: str, manager: pluggy.PluginManager) -> PluginDetails:
    """Load a plugin and register its hooks with `manager`.

    Raises `UnusablePluginError` if the plugin has to be skipped, and `SettingsError` if one of its
    hooks does not exist or has wrong arguments: most likely a misspelling, which the node must not
    ignore.
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
        # pluggy's text has several lines and contains the module's path.
        text = " ".join(str(error).replace(repr(error.plugin), name).split())
        raise SettingsError(f"The plugin {name} has an invalid hook: {text}.") from error
    return details


def summarise_error(error: Exception) -> str:
    """The type and first line of an error in a plugin's code, for the operator."""
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def check_registration(plugin: str, hook: str, item: Any) -> None:
    """Raises `ValueError` if `item` has the wrong type for `hook`, or a forbidden name."""
    kind, check_name = REGISTRATION_HOOKS[hook]
    if not isinstance(item, kind):
        raise ValueError(f"{item!r:.80} is not a {kind.__name__}")  # noqa: TRY004
    check_name(plugin, item)


def _import_plugin(point: EntryPoint) -> ModuleType:
    if not PLUGIN_NAME.fullmatch(point.name) or len(point.name) > MAX_LEN_PLUGIN_NAME:
        raise UnusablePluginError(
            f"The plugin {point.name} must have a name of lowercase letters, digits and single"
            " underscores."
        )
    try:
        module = point.load()
    except Exception as error:  # a plugin may raise anything
        _discard_unmapped_models()
        raise UnusablePluginError(
            f"The plugin {point.name} cannot be loaded: {summarise_error(error)}."
        ) from error
    if not isinstance(module, ModuleType):
        raise UnusablePluginError(f"The plugin {point.name} must be a module: {point.value}.")
    return module


def _discard_unmapped_models() -> None:
    """Remove models that failed to map, such as one with a table that exists already: they would
    break the configuration of all other mappers.
    """
    managers = Base.registry._managers
    for unmapped in [manager for manager in managers if not manager.is_mapped]:
        del managers[unmapped]


def _read_details(name: str, module: ModuleType) -> PluginDetails:
    """Call `plugin_details` before pluggy registers the module, since a plugin for another API
    version may have hooks that do not exist here.
    """
    try:
        details = module.plugin_details()
    except Exception as error:  # a plugin may raise anything
        raise UnusablePluginError(
            f"The plugin {name} does not return its details: {summarise_error(error)}."
        ) from error
    if not isinstance(details, PluginDetails) or details.name != name:
        raise UnusablePluginError(f"The plugin {name} returns the details of another plugin.")
    if details.api_version != API_VERSION:
        raise UnusablePluginError(
            f"The plugin {name} is made for version {details.api_version} of the plugin interface,"
            f" but this server has version {API_VERSION}."
        )
    return details


def _check_table_names(point: EntryPoint) -> None:
    """Raises `UnusablePluginError` if a model in the plugin's package has a table without the
    plugin's prefix.
    """
    package = point.module.rpartition(".")[0] or point.module
    for mapper in Base.registry.mappers:
        if not f"{mapper.class_.__module__}.".startswith(f"{package}."):
            continue
        for table in mapper.tables:
            if not str(table).startswith(f"{point.name}__"):
                raise UnusablePluginError(
                    f"The plugin {point.name} has a table {table}, whose name does not start with"
                    f" {point.name}__."
                )


def _accept_any_name(_plugin: str, _item: Any) -> None:
    """For items that have no name, or whose names are not restricted."""


def _check_dotted_name(plugin: str, item: Permission | NotificationType) -> None:
    if not item.name.startswith(f"{plugin}."):
        raise ValueError(f"{item.name} does not begin with {plugin}.")


def _check_slug(_plugin: str, item: Facet | Setting | ScheduledJob) -> None:
    if not SLUG.fullmatch(item.name):
        raise ValueError(f"{item.name} is not made of lowercase letters, digits, - and _")
    for value in getattr(item, "choices", ()):
        if not SLUG.fullmatch(value):
            raise ValueError(f"{item.name} has a choice that is no such word: {value}")


def _check_activity_type(_plugin: str, item: str) -> None:
    if not TYPE_NAME.fullmatch(item):
        raise ValueError(f"{item} is not the name of a type")


def _check_document_type(_plugin: str, item: DocumentType) -> None:
    if not TYPE_NAME.fullmatch(item.name) or item.name in RESERVED_TYPES:
        raise ValueError(f"{item.name} is not a name for a type of one's own")


# The hooks called when the node starts: the type of their items, and the check of an item's name.
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
