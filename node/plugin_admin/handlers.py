"""Passes received activities to the plugins that registered for their type."""

from collections.abc import Sequence

from federation.origin import host_of
from node.councils import service as councils
from node.messages import msg
from node.plugin_api.hooks import Hooks
from node.plugin_api.info import ActivityInfo
from node.runtime import Handler, Handlers, NotHandledError, ReceivedActivity, UnitOfWork

# Types that plugins cannot register, even where no handler of the core uses them.
CORE_ACTIVITIES = frozenset(
    {"Accept", "Reject", "Create", "Update", "Delete", "Undo", "Remove", "Add"}
)


def build_activity_handlers(hooks: Hooks, core: Sequence[Handlers]) -> Handlers:
    """The handlers of the activity types that plugins registered. A type that the core handles is
    refused, and recorded as a failure of the plugin.
    """
    core_types = CORE_ACTIVITIES | {
        activity for room_handlers in core for activity, _kind in room_handlers
    }
    handlers: dict[tuple[str, str], Handler] = {}
    for plugin, activity in hooks.list_registered("register_activities"):
        if activity in core_types:
            error = ValueError(f"{activity} is an activity that the core handles")
            hooks.record_failure(plugin, "register_activities", error)
        else:
            handlers[activity, ""] = dispatch_activity
    return handlers


def dispatch_activity(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Offer the activity to each plugin that registered its type, until one handles it. Raises
    `NotHandledError` if none does.
    """
    activity = received.activity
    council = councils.by_actor_uri(work.session, activity.actor)
    view = ActivityInfo(
        id=activity.id,
        type=activity.type,
        actor_uri=activity.actor,
        host=host_of(activity.actor),
        council=councils.to_council_info(council) if council else None,
        object_uri=activity.object_id,
        document=activity.raw,
    )
    for plugin, activity_type in work.node.hooks.list_registered("register_activities"):
        if activity_type == activity.type:
            results = work.node.hooks.call(work, "activity_received", only=plugin, activity=view)
            if any(is_handled for _plugin, is_handled in results):
                return
    raise NotHandledError(msg("no plugin handled this activity"))
