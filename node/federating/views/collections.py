"""Collections of local actors: outboxes, followers, following, featured; and single activities."""

import json

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from federation.vocabulary import Collection, CollectionPage, without_context
from federation.vocabulary.activity_types import DELETE
from node.errors import NotFoundError
from node.federating.identity import actors, local_uris
from node.federating.models import Actor, Follow, OutboxActivity
from node.federating.views.current_viewer import current_viewer
from node.messages import msg
from node.pagination import page_by_key
from node.request import (
    PUBLIC,
    activity_response,
    current_work,
    for_servers,
    parse_row_id,
    permission,
    wants_activity,
)

PAGE_SIZE = 20

blueprint = Blueprint("collections", __name__)


@blueprint.get("/councils/<slug>/outbox")
@permission(PUBLIC)
@for_servers
def outbox(slug: str) -> ResponseReturnValue:
    return outbox_response(_get_council_actor(current_work().session, slug))


def outbox_response(actor: Actor) -> ResponseReturnValue:
    """The activities of a local actor that the viewer may see, newest first, in pages."""
    if not wants_activity():
        return redirect(actor.url)
    viewer, session = current_viewer(), current_work().session
    visible = select(OutboxActivity).where(
        OutboxActivity.actor_id == actor.id, OutboxActivity.audience.in_(viewer.audiences)
    )
    total = session.scalar(select(func.count()).select_from(visible.subquery())) or 0
    before = request.args.get("before", type=parse_row_id)
    if "page" not in request.args and before is None:
        first = f"{actor.outbox}?page=1"
        return activity_response(
            Collection(id=actor.outbox or "", total_items=total, first=first).dump()
        )
    page = page_by_key(session, visible, OutboxActivity.id, before, PAGE_SIZE, descending=True)
    document = CollectionPage(
        id=f"{actor.outbox}?" + (f"before={before}" if before is not None else "page=1"),
        part_of=actor.outbox or "",
        total_items=total,
        items=tuple(without_context(json.loads(row.body)) for row in page.rows),
        next=f"{actor.outbox}?before={page.next}" if page.next else None,
    )
    return activity_response(document.dump())


@blueprint.get("/councils/<slug>/followers")
@permission(PUBLIC)
@for_servers
def followers(slug: str) -> ResponseReturnValue:
    return followers_response(_get_council_actor(current_work().session, slug))


def followers_response(actor: Actor) -> ResponseReturnValue:
    """The number of followers of a local actor, without a list."""
    if not wants_activity():
        return redirect(actor.url)
    session = current_work().session
    accepted = select(func.count()).where(
        Follow.followed_id == actor.id, Follow.state == "accepted"
    )
    collection = Collection(id=actor.followers or "", total_items=session.scalar(accepted) or 0)
    return activity_response(collection.dump())


@blueprint.get("/councils/<slug>/following")
@permission(PUBLIC)
@for_servers
def following(slug: str) -> ResponseReturnValue:
    return following_response(_get_council_actor(current_work().session, slug))


def following_response(actor: Actor) -> ResponseReturnValue:
    """The number of actors that a local actor follows, without a list."""
    if not wants_activity():
        return redirect(actor.url)
    accepted = select(func.count()).where(
        Follow.follower_id == actor.id, Follow.state == "accepted"
    )
    total = current_work().session.scalar(accepted) or 0
    return activity_response(Collection(local_uris.following(actor.uri), total_items=total).dump())


@blueprint.get("/councils/<slug>/featured")
@permission(PUBLIC)
@for_servers
def featured(slug: str) -> ResponseReturnValue:
    return featured_response(_get_council_actor(current_work().session, slug))


def featured_response(actor: Actor) -> ResponseReturnValue:
    """The featured objects of a local actor: none."""
    if not wants_activity():
        return redirect(actor.url)
    collection = Collection(local_uris.featured(actor.uri), total_items=0, items=())
    return activity_response(collection.dump())


@blueprint.get("/activities/<token>")
@permission(PUBLIC)
def activity(token: str) -> ResponseReturnValue:
    """A local activity by its id, if the viewer may see it; direct ones are never shown."""
    viewer, work = current_viewer(), current_work()
    uri = f"{work.settings.base_url}/activities/{token}"
    row = work.session.scalar(
        select(OutboxActivity).where(
            OutboxActivity.uri == uri,
            OutboxActivity.audience.in_(viewer.audiences),
            or_(OutboxActivity.type == DELETE, ~OutboxActivity.actor.has(kind=actors.TOMBSTONE)),
        )
    )
    if row is None:
        raise NotFoundError(msg("Activity not found."))
    if not wants_activity():
        return redirect(
            row.object_uri
            if row.object_uri.startswith(f"{work.settings.base_url}/")
            else url_for("pages.home")
        )
    return activity_response(json.loads(row.body))


def _get_council_actor(session: Session, slug: str) -> Actor:
    actor = actors.local_by_username(session, slug)
    if actor is None or actor.kind == "Application":
        raise NotFoundError(msg("Council not found."))
    return actor
