"""What other servers ask of this node: actors, the inbox, collections, WebFinger and NodeInfo."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge

from federation import nodeinfo
from federation.errors import FederationError, Reason, Refusal
from federation.signatures import Headers, SignedRequest
from federation.vocabulary import Collection, CollectionPage, without_context
from federation.webfinger import jrd, parse_resource
from node import __version__
from node.errors import InvalidInputError, NotFoundError
from node.federating import actors, inbox
from node.federating.models import Actor, Follow, OutboxActivity
from node.request import (
    PUBLIC,
    activity_response,
    current_node,
    current_work,
    permission,
    row_id,
    wants_activity,
)
from node.settings import Settings

PAGE = 20

blueprint = Blueprint("federating", __name__)


@blueprint.get("/actor")
@permission(PUBLIC)
def node_actor() -> ResponseReturnValue:
    """The node itself.

    Readable without a signature, or two servers that ask for one would wait for each other.
    """
    if not wants_activity():
        return redirect(url_for("pages.home"))
    actor = actors.node_actor(current_work().session, current_work().settings)
    return activity_response(actors.describe(actor).dump())


@blueprint.post("/inbox")
@blueprint.post("/actor/inbox")
@blueprint.post("/councils/<_slug>/inbox")
@permission(PUBLIC)
def post_to_inbox(_slug: str = "") -> ResponseReturnValue:
    """One inbox behind every address: who it is for stands in the message."""
    inbox.receive(current_node(), _signed_request())
    return Response(status=HTTPStatus.ACCEPTED)


def _signed_request() -> SignedRequest:
    settings = current_node().settings
    request.max_content_length = inbox.policy(current_node()).max_bytes
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        refusal = Refusal(Reason.too_large)
        inbox.refuse(current_node(), "", refusal)
        raise refusal from None
    return SignedRequest(
        method=request.method,
        scheme="https" if settings.is_https else "http",
        authority=settings.authority,
        target=request.environ.get("REQUEST_URI") or request.full_path.rstrip("?"),
        headers=Headers(request.headers.items()),
        body=body,
    )


@blueprint.get("/councils/<slug>/outbox")
@permission(PUBLIC)
def outbox(slug: str) -> ResponseReturnValue:
    """What the council made public, newest first."""
    session = current_work().session
    actor = _actor(session, slug)
    public = select(OutboxActivity).where(
        OutboxActivity.actor_id == actor.id, OutboxActivity.audience == "public"
    )
    total = session.scalar(select(func.count()).select_from(public.subquery())) or 0
    before = request.args.get("before", type=row_id)
    if "page" not in request.args and before is None:
        first = f"{actor.outbox}?page=1"
        return activity_response(
            Collection(id=actor.outbox or "", total_items=total, first=first).dump()
        )
    if before is not None:
        public = public.where(OutboxActivity.id < before)
    rows = session.scalars(public.order_by(OutboxActivity.id.desc()).limit(PAGE)).all()
    more = f"{actor.outbox}?before={rows[-1].id}" if len(rows) == PAGE else None
    page = CollectionPage(
        id=f"{actor.outbox}?" + (f"before={before}" if before is not None else "page=1"),
        part_of=actor.outbox or "",
        total_items=total,
        items=tuple(without_context(json.loads(row.body)) for row in rows),
        next=more,
    )
    return activity_response(page.dump())


@blueprint.get("/councils/<slug>/followers")
@permission(PUBLIC)
def followers(slug: str) -> ResponseReturnValue:
    """How many follow; not who."""
    session = current_work().session
    actor = _actor(session, slug)
    accepted = select(func.count()).where(
        Follow.followed_id == actor.id, Follow.state == "accepted"
    )
    collection = Collection(id=actor.followers or "", total_items=session.scalar(accepted) or 0)
    return activity_response(collection.dump())


@blueprint.get("/activities/<token>")
@permission(PUBLIC)
def activity(token: str) -> ResponseReturnValue:
    """A public activity of ours, by its id."""
    work = current_work()
    uri = f"{work.settings.base_url}/activities/{token}"
    row = work.session.scalar(
        select(OutboxActivity).where(OutboxActivity.uri == uri, OutboxActivity.audience == "public")
    )
    if row is None:
        raise NotFoundError("There is no such activity.")
    if not wants_activity():
        return redirect(
            row.object_uri
            if row.object_uri.startswith(f"{work.settings.base_url}/")
            else url_for("pages.home")
        )
    return activity_response(json.loads(row.body))


@blueprint.get("/.well-known/webfinger")
@permission(PUBLIC)
def webfinger() -> ResponseReturnValue:
    """Who `acct:name@host` is. On other servers' way to believe us, so it is plain and fast."""
    work = current_work()
    resource = request.args.get("resource", "")
    try:
        wanted = parse_resource(resource)
    except FederationError as error:
        raise InvalidInputError(
            "Ask for a resource such as acct:council@example.gov.uk."
        ) from error
    actor = _wanted(work.session, work.settings, wanted)
    if actor is None:
        raise NotFoundError("There is nobody of that name here.")
    answer = Response(
        json.dumps(jrd(resource, actor.uri, actor.url)), content_type="application/jrd+json"
    )
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


def _wanted(session: Session, settings: Settings, wanted: str | tuple[str, str]) -> Actor | None:
    if isinstance(wanted, str):
        return actors.local_by_uri(session, wanted)
    username, host = wanted
    return (
        actors.local_by_username(session, username.lower()) if host == settings.authority else None
    )


@blueprint.get("/.well-known/nodeinfo")
@permission(PUBLIC)
def nodeinfo_links() -> ResponseReturnValue:
    return _json(nodeinfo.well_known(current_node().settings.base_url), "application/json")


@blueprint.get("/nodeinfo/<version>")
@permission(PUBLIC)
def nodeinfo_document(version: str) -> ResponseReturnValue:
    if version not in nodeinfo.VERSIONS:
        raise NotFoundError("There is no such version of NodeInfo.")
    session = current_work().session
    councils = select(func.count()).where(Actor.is_local, Actor.kind == "Organization")
    posts = select(func.count()).where(
        OutboxActivity.audience == "public", OutboxActivity.type == "Create"
    )
    document = nodeinfo.nodeinfo(
        version,
        software_version=__version__,
        users=session.scalar(councils) or 0,
        posts=session.scalar(posts) or 0,
    )
    return _json(document, nodeinfo.content_type(version))


def _json(document: Mapping[str, Any], content_type: str) -> Response:
    return Response(json.dumps(document), content_type=content_type)


def _actor(session: Session, slug: str) -> Actor:
    actor = actors.local_by_username(session, slug)
    if actor is None or actor.kind == "Application":
        raise NotFoundError("There is no such council here.")
    return actor
