"""Routes each received activity to the room that it concerns, whatever the order of the rooms.

An answer goes to the room that sent the activity which it answers. What undoes, changes or deletes
something goes to the room that stores it. Anything else is routed by the kind of its object.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.properties import id_of, type_of
from federation.vocabulary.activity_types import (
    ACTIVITY_TYPES,
    ANNOUNCE,
    VERSION_TYPES,
    Concerns,
    activity_type,
)
from federation.vocabulary.object_kinds import kind_of
from node.federating.models import InboxItem, OutboxActivity
from node.federating.outbound.outbox import was_sent_to
from node.messages import msg
from node.runtime import Handler, Handlers, Node, NotHandledError, ReceivedActivity, UnitOfWork

# Kinds of what an activity may concern: the kinds in the first group that has handlers count.
KindGroups = Sequence[Sequence[str]]
Finder = Callable[[Handlers, Session, ReceivedActivity], tuple[ReceivedActivity, KindGroups]]


def dispatch(node: Node, work: UnitOfWork, received: ReceivedActivity) -> tuple[str, str]:
    """Call the handler of what an activity concerns; several if its object's id is stored several
    times.

    Returns the state, `done` or `ignored`, and why it was ignored.
    """
    concerns = activity_type(received.activity.type).concerns
    outcome, is_done = "", False
    try:
        received, groups = FINDERS[concerns](node.handlers, work.session, received)
        for handler in _select_handlers(node.handlers, received, groups):
            try:
                handler(work, received)
                is_done = True
            except NotHandledError as reason:
                outcome = str(reason)
    except NotHandledError as reason:
        outcome = str(reason)
    return ("done", "") if is_done else ("ignored", outcome)


def find_kinds(handlers: Handlers, session: Session, uri: str | None) -> list[str]:
    """The kinds of the things that the rooms store under an id."""
    return sorted(set(session.scalars(handlers.select_kinds, {"uri": uri}))) if uri else []


def _select_handlers(
    handlers: Handlers, received: ReceivedActivity, groups: KindGroups
) -> Sequence[Handler]:
    """Raises `NotHandledError` if there are none."""
    name = received.activity.type
    for group in (*groups, [""]):
        found = [handlers.by_kind[name, kind] for kind in group if (name, kind) in handlers.by_kind]
        if found:
            return found
    if activity_type(name).concerns in NOTHING_FOUND:
        raise NotHandledError(NOTHING_FOUND[activity_type(name).concerns])
    kind = type_of(received.document) if received.document else ""
    raise NotHandledError(f"no handler for {name} {kind}".strip())


def _find_object(
    _handlers: Handlers, _session: Session, received: ReceivedActivity
) -> tuple[ReceivedActivity, KindGroups]:
    return received, [[kind_of(received.document)]] if received.document else []


def _find_stored_object(
    handlers: Handlers, session: Session, received: ReceivedActivity
) -> tuple[ReceivedActivity, KindGroups]:
    """By its id; a new one, of which there is a version, by its kind."""
    stored = find_kinds(handlers, session, received.activity.object_id)
    if received.document is None or received.activity.type not in VERSION_TYPES:
        return received, [stored]
    return received, [stored, [kind_of(received.document)]]


def _find_sent_activity(
    handlers: Handlers, session: Session, received: ReceivedActivity
) -> tuple[ReceivedActivity, KindGroups]:
    """The activity of ours that is answered: by its id, else by the type of what is embedded, since
    some servers embed it with an id of their own.

    Raises `NotHandledError` if it was not sent to the actor that answers.
    """
    uri = received.activity.object_id
    row = session.scalar(select(OutboxActivity).where(OutboxActivity.uri == uri))
    if row is None:
        # Not the owners of activities: nobody checks that these answer something that we sent.
        stored = [kind for kind in find_kinds(handlers, session, uri) if kind in ACTIVITY_TYPES]
        embedded = type_of(received.document) if received.document else ""
        return received, [stored, [embedded] if embedded in ACTIVITY_TYPES else []]
    if not was_sent_to(row, received.activity.actor):
        raise NotHandledError(msg("an answer by an account that was not asked"))
    return received, [[row.owner or row.type]]


def _find_received_activity(
    handlers: Handlers, session: Session, received: ReceivedActivity
) -> tuple[ReceivedActivity, KindGroups]:
    """The activity that is undone: by its id, else by the type of what is embedded. An `Announce`
    that passed on an activity is undone by the room that stores that one.

    Raises `NotHandledError` if the activity was received from another actor.
    """
    uri = received.activity.object_id
    item = session.scalar(select(InboxItem).where(InboxItem.uri == uri))
    if item is not None and item.actor_uri != received.activity.actor:
        raise NotHandledError(NOTHING_FOUND[Concerns.received_activity])
    if received.document is None and item is not None and item.body:
        received = replace(received, document=item.body)
    document = received.document or {}
    is_announce = type_of(document) == ANNOUNCE
    announced = id_of(document.get("object")) if is_announce else None
    return received, [
        find_kinds(handlers, session, announced),
        find_kinds(handlers, session, uri),
        [item.type] if item else [],
        [type_of(document)],
    ]


FINDERS: Mapping[Concerns, Finder] = {
    Concerns.object: _find_object,
    Concerns.stored_object: _find_stored_object,
    Concerns.sent_activity: _find_sent_activity,
    Concerns.received_activity: _find_received_activity,
}
# Why an activity is ignored that concerns something which this server never sent or received.
NOTHING_FOUND = {
    Concerns.sent_activity: msg("does not answer anything that this server sent"),
    Concerns.received_activity: msg("does not undo anything that this server received"),
}
