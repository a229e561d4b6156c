"""Discovery of this node: its own actor, WebFinger and NodeInfo."""

from functools import partial

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from federation import nodeinfo
from federation.errors import FederationError
from federation.vocabulary.activity_types import CREATE
from federation.webfinger import build_jrd, parse_resource
from node import __version__
from node.access.viewer import ANONYMOUS, Viewer
from node.errors import InvalidInputError, NotFoundError
from node.federating.identity import actors, local_uris
from node.federating.inbound.request_signers import SIGNATURE_HEADERS
from node.federating.models import Actor, OutboxActivity
from node.federating.views.current_viewer import find_public_first
from node.messages import msg
from node.request import (
    PUBLIC,
    activity_response,
    cached_json,
    current_node,
    current_work,
    for_servers,
    json_bytes,
    permission,
    wants_activity,
)
from node.runtime import Document
from node.settings import Settings

blueprint = Blueprint("discovery", __name__)


@blueprint.get("/actor")
@permission(PUBLIC)
def node_actor() -> ResponseReturnValue:
    """The node's own actor.

    Readable without a signature; otherwise two servers that require signatures would wait for each
    other.
    """
    if not wants_activity():
        return redirect(url_for("pages.home"))
    return activity_response(cached_json("/actor", _build_node_document))


def _build_node_document() -> Document:
    work = current_work()
    actor = actors.get_node_actor(work.session, work.settings)
    return actors.build_document(work.settings, actor).dump()


@blueprint.get("/.well-known/webfinger")
@permission(PUBLIC)
@for_servers
def webfinger() -> ResponseReturnValue:
    """The actor of `acct:name@host` (RFC 7033). Other servers need it to verify us, so it is fast
    and checks no signature for public actors.

    Actors that only peers may see are found by peers alone, who must sign the request.
    """
    resource = _parse_resource_argument()

    def find(viewer: Viewer) -> bytes:
        if viewer == ANONYMOUS:
            return cached_json(f"webfinger {resource}", partial(_build_webfinger, resource))
        return json_bytes(_build_webfinger(resource, for_peers=True))

    response = Response(find_public_first(find), content_type="application/jrd+json")
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.vary.update(SIGNATURE_HEADERS)
    return response


def _parse_resource_argument() -> tuple[str, str] | str:
    """The `resource` argument: a URI, or a username in lower case and a host."""
    try:
        resource = parse_resource(request.args.get("resource", ""))
    except FederationError as error:
        raise InvalidInputError(
            msg("Ask for a resource such as acct:council@example.gov.uk.")
        ) from error
    return resource if isinstance(resource, str) else (resource[0].lower(), resource[1])


def _build_webfinger(resource: tuple[str, str] | str, *, for_peers: bool = False) -> Document:
    work = current_work()
    actor = _find_actor(work.session, work.settings, resource)
    if actor is None or (actor.is_for_peers and not for_peers):
        raise NotFoundError(msg("Account not found."))
    subject = f"acct:{local_uris.handle(work.settings, actor).removeprefix('@')}"
    return build_jrd(subject, actor.uri, actor.url)


def _find_actor(
    session: Session, settings: Settings, resource: str | tuple[str, str]
) -> Actor | None:
    if isinstance(resource, str):
        return actors.local_by_uri(session, resource)
    username, host = resource
    is_here = host in {settings.authority, settings.handle_host}
    return actors.local_by_username(session, username) if is_here else None


@blueprint.get("/.well-known/nodeinfo")
@permission(PUBLIC)
@for_servers
def nodeinfo_links() -> ResponseReturnValue:
    settings = current_node().settings
    links = nodeinfo.build_links(settings.base_url, local_uris.node_actor(settings))
    return Response(json_bytes(links), content_type="application/json")


@blueprint.get("/nodeinfo/<version>")
@permission(PUBLIC)
@for_servers
def nodeinfo_document(version: str) -> ResponseReturnValue:
    if version not in nodeinfo.VERSIONS:
        raise NotFoundError(msg("NodeInfo version not found."))
    body = cached_json(f"nodeinfo {version}", partial(_build_nodeinfo, version))
    return Response(body, content_type=nodeinfo.content_type(version))


def _build_nodeinfo(version: str) -> Document:
    session = current_work().session
    councils = select(func.count()).where(Actor.is_local, Actor.kind == "Organization")
    posts = select(func.count()).where(
        OutboxActivity.audience == "public", OutboxActivity.type == CREATE
    )
    return nodeinfo.build_nodeinfo(
        version,
        software_version=__version__,
        user_count=session.scalar(councils) or 0,
        post_count=session.scalar(posts) or 0,
    )
