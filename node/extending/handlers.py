"""Activities that plugins act on."""

from collections.abc import Sequence

from federation.origin import host_of
from node.councils import service as councils
from node.hooks import Hooks
from node.runtime import Handler, Handlers, NotForUsError, Received, UnitOfWork
from node.shown import ActivityView
from node.wording import say

# What the node itself says to others about them, or only others do.
CORE = frozenset({"Accept", "Reject", "Create", "Update", "Delete", "Undo", "Remove", "Add"})


def of_activities(hooks: Hooks, core: Sequence[Handlers]) -> Handlers:
    """The handlers of the activities that plugins declare. One that declares an activity on which
    the node acts itself does not get it.
    """
    ours = CORE | {activity for room in core for activity, _kind in room}
    found: dict[tuple[str, str], Handler] = {}
    for plugin, activity in hooks.registered("register_activities"):
        if activity in ours:
            error = ValueError(f"{activity} is an activity on which the node acts itself")
            hooks.failed(plugin, "register_activities", error)
        else:
            found[activity, ""] = receive
    return found


def receive(work: UnitOfWork, received: Received) -> None:
    """Ask the plugins that declare such an activity, until one acts on it."""
    activity = received.activity
    council = councils.by_actor_uri(work.session, activity.actor)
    view = ActivityView(
        id=activity.id,
        type=activity.type,
        actor_uri=activity.actor,
        host=host_of(activity.actor),
        council=councils.as_view(council) if council else None,
        object_uri=activity.object_id,
        document=activity.raw,
    )
    for plugin, kind in work.node.hooks.registered("register_activities"):
        if kind == activity.type:
            answers = work.node.hooks.ask(work, "activity_received", only=plugin, activity=view)
            if any(answer for _plugin, answer in answers):
                return
    raise NotForUsError(say("no plugin handled this activity"))
