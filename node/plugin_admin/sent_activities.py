"""Sends the activities of plugins."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from federation.properties import id_of
from federation.vocabulary import Activity
from federation.vocabulary.activity_types import ACTIVITY_TYPES, Concerns, activity_type
from node.councils import service as councils
from node.errors import NotFoundError
from node.federating.identity import local_uris
from node.federating.inbound.dispatcher import find_kinds
from node.federating.models import InboxItem, OutboxActivity
from node.federating.outbound import outbox
from node.messages import msg
from node.plugin_admin.handlers import owner_name
from node.runtime import UnitOfWork


def send(
    work: UnitOfWork,
    plugin: str,
    kind: str,
    to_uri: str,
    about: str | Mapping[str, Any],
    result: str | None,
) -> str:
    """Send an activity of a plugin to one known council; its answers are given to the plugin.
    Returns the activity's id.

    Raises `KeyError` for an activity that is not the plugin's to send, and `NotFoundError` for an
    unknown council.
    """
    embedded = about if isinstance(about, str) else dict(about)
    _check_may_send(work, plugin, kind, id_of(embedded))
    council = councils.by_actor_uri(work.session, to_uri)
    if council is None or council.is_local:
        raise NotFoundError(msg("Council not found."))
    actor, uri = councils.require_own(work.session).actor, local_uris.new_activity(work.settings)
    recipient = council.actor
    activity = Activity(uri, kind, actor.uri, embedded, to=(recipient.uri,), result=result).dump()
    outbox.send(work, actor, activity, recipient, owner=owner_name(plugin))
    return uri


def _check_may_send(work: UnitOfWork, plugin: str, kind: str, object_uri: str | None) -> None:
    """Raises `KeyError` for an activity that is not the plugin's to send.

    It may send the types that it registered; answers to activities of these types; the Undo of what
    it sent; and the Update or Delete of an object of this server that the core does not store.
    """
    session, handlers = work.session, work.node.handlers
    registered = work.node.hooks.list_registered_by(plugin, "register_activities")
    match activity_type(kind).concerns:
        case Concerns.object:
            may_send = kind in registered and kind not in ACTIVITY_TYPES
        case Concerns.sent_activity:
            query = select(InboxItem.type).where(InboxItem.uri == object_uri)
            received_type = session.scalar(query)  # None once the message was pruned
            may_send = (
                received_type in registered
                if received_type
                else not find_kinds(handlers, session, object_uri)
            )
        case Concerns.received_activity:
            is_own = OutboxActivity.uri == object_uri, OutboxActivity.owner == owner_name(plugin)
            may_send = session.scalar(select(OutboxActivity.id).where(*is_own)) is not None
        case Concerns.stored_object:
            is_ours = (object_uri or "").startswith(f"{work.settings.base_url}/")
            may_send = is_ours and not find_kinds(handlers, session, object_uri)
    if not may_send:
        raise KeyError(f"{plugin} cannot send {kind} of {object_uri}")
