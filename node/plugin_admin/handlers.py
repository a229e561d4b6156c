"""Activities that plugins act on."""

from collections.abc import Sequence

from federation.origin import host_of
from node.councils import service as councils
from node.hooks import Hooks
from node.messages import msg
from node.plugin_views import ActivityView
from node.runtime import Handler, Handlers, NotHandledError, ReceivedActivity, UnitOfWork

# What the node itself says to others about them, or only others do.
CORE_ACTIVITIES = frozenset(
    {"Accept", "Reject", "Create", "Update", "Delete", "Undo", "Remove", "Add"}
)


def build_activity_handlers(hooks: Hooks, core: Sequence[Handlers]) -> Handlers:
    """The handlers of the activities that plugins declare. One that declares an activity on which
    the node acts itself does not get it.
    """
    ours = CORE_ACTIVITIES | {activity for room in core for activity, _kind in room}
    found: dict[tuple[str, str], Handler] = {}
    for plugin, activity in hooks.registered("register_activities"):
        if activity in ours:
            error = ValueError(f"{activity} is an activity on which the node acts itself")
            hooks.record_failure(plugin, "register_activities", error)
        else:
            found[activity, ""] = dispatch_activity
    return found


def dispatch_activity(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Ask the plugins that declare such an activity, until one acts on it."""
    activity = received.activity
    council = councils.by_actor_uri(work.session, activity.actor)
    view = ActivityView(
        id=activity.id,
        type=activity.type,
        actor_uri=activity.actor,
        host=host_of(activity.actor),
        council=councils.to_plugin_view(council) if council else None,
        object_uri=activity.object_id,
        document=activity.raw,
    )
    for plugin, kind in work.node.hooks.registered("register_activities"):
        if kind == activity.type:
            answers = work.node.hooks.call(work, "activity_received", only=plugin, activity=view)
            if any(answer for _plugin, answer in answers):
                return
    raise NotHandledError(msg("no plugin handled this activity"))
