"""Passes to plugins the activities of the types that they registered, and those that answer what
they sent.
"""

from functools import partial

from sqlalchemy import select

from federation.origin import host_of, same_origin
from federation.vocabulary.activity_types import (
    ACTIVITY_TYPES,
    DELETE,
    UNDO,
    UPDATE,
    Fetch,
    activity_type,
    names_of_types,
)
from node.councils import service as councils
from node.federating.models import OutboxActivity
from node.federating.outbound.outbox import was_sent_to
from node.messages import msg
from node.plugin_api.hooks import Hooks
from node.plugin_api.info import ActivityInfo
from node.runtime import Handler, Handlers, NotHandledError, ReceivedActivity, Stored, UnitOfWork

ANSWER_TYPES = names_of_types(lambda row: row.is_answer)


def build_activity_handlers(hooks: Hooks) -> Handlers:
    """The handlers of the activity types that plugins registered, and of what answers their
    activities. A type that the core handles cannot be registered, and is recorded as a failure of
    the plugin.
    """
    by_kind: dict[tuple[str, str], Handler] = {}
    for plugin, activity in hooks.list_registered("register_activities"):
        if activity in ACTIVITY_TYPES:
            error = ValueError(f"{activity} is an activity that the core handles")
            hooks.record_failure(plugin, "register_activities", error)
        else:
            by_kind[activity, ""] = by_kind[UNDO, activity] = partial(offer_to_plugins, activity)
    for plugin in hooks.plugin_names:
        for answer in ANSWER_TYPES:
            by_kind[answer, owner_name(plugin)] = partial(receive_answer, plugin)
        for change in (UPDATE, DELETE):
            by_kind[change, owner_name(plugin)] = partial(receive_change_of_result, plugin)
    results = Stored(OutboxActivity.result_uri, OutboxActivity.owner)
    return Handlers(by_kind, stores=(results,))


def owner_name(plugin: str) -> str:
    """The `owner` of the activities that a plugin sends."""
    return f"plugin {plugin}"


def offer_to_plugins(kind: str, work: UnitOfWork, received: ReceivedActivity) -> None:
    """Offer an activity of the type `kind`, or its Undo, to each plugin that registered the type,
    until one handles it. Raises `NotHandledError` if none does.
    """
    for plugin, registered in work.node.hooks.list_registered("register_activities"):
        if registered == kind and _call_plugin(work, plugin, received, None):
            return
    raise NotHandledError(msg("no plugin handled this activity"))


def receive_answer(plugin: str, work: UnitOfWork, received: ReceivedActivity) -> None:
    """Give a plugin the answer to an activity that it sent. The answer's `result` is remembered:
    changes of it are given to the plugin too.
    """
    activity = received.activity
    row = work.session.scalars(
        select(OutboxActivity).where(OutboxActivity.uri == activity.object_id)
    ).one_or_none()
    if row is None or not _call_plugin(work, plugin, received, row.uri):
        raise NotHandledError(msg("no plugin handled this activity"))
    if activity.result and same_origin(activity.result, activity.actor):
        row.result_uri = activity.result


def receive_change_of_result(plugin: str, work: UnitOfWork, received: ReceivedActivity) -> None:
    """Give a plugin the Update or Delete of what came of its activity, by the account that answered
    it. Raises `NotHandledError` for any other account.
    """
    is_result = (
        OutboxActivity.result_uri == received.activity.object_id,
        OutboxActivity.owner == owner_name(plugin),
    )
    newest_first = select(OutboxActivity).where(*is_result).order_by(OutboxActivity.id.desc())
    for row in work.session.scalars(newest_first):
        if was_sent_to(row, received.activity.actor):
            if _call_plugin(work, plugin, received, row.uri):
                return
            raise NotHandledError(msg("no plugin handled this activity"))
    raise NotHandledError(msg("an answer by an account that was not asked"))


def _call_plugin(
    work: UnitOfWork, plugin: str, received: ReceivedActivity, answers: str | None
) -> bool:
    """Whether the plugin handled it. `answers`: the id of the plugin's activity."""
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
        answers=answers,
        object=received.document if _is_from_its_origin(received) else None,
    )
    results = work.node.hooks.call(work, "activity_received", only=plugin, activity=view)
    return any(is_handled for _plugin, is_handled in results)


def _is_from_its_origin(received: ReceivedActivity) -> bool:
    """Whether the object is as its own server states it: it was fetched from there, or the sender,
    who embedded it, is on that server.
    """
    uri = received.activity.object_id
    was_fetched = activity_type(received.activity.type).fetch is not Fetch.nothing
    return was_fetched or uri is None or same_origin(uri, received.activity.actor)
