"""Operations on councils: create, rename and publish our own; follow and store remote ones."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session, contains_eager

from federation.addressing import PUBLIC_COLLECTION
from federation.origin import host_of
from federation.vocabulary import ActorDocument
from federation.vocabulary import update as update_activity
from node.councils import places
from node.councils.models import Council
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.federating.events import ActorDeleted
from node.federating.identity import actors, local_uris
from node.federating.models import (
    Actor,
    Delivery,
    DeliveryAttempt,
    Follow,
    OutboxActivity,
    Peer,
)
from node.federating.outbound import outbox
from node.federating.peers import service as peers
from node.federating.sync import actor_blocks, following
from node.messages import Message, msg
from node.plugin_api.info import CouncilInfo
from node.runtime import UnitOfWork
from node.settings import Settings
from node.text import find_text_error, trim

SLUG = re.compile(r"[a-z](?:[a-z0-9-]{0,48}[a-z0-9])?")
COLOUR = re.compile(r"#[0-9a-f]{6}")
GSS_CODE = re.compile(r"[EWSN]\d{8}")
# Taken by routes under /councils/ and by the node's own actor.
RESERVED_SLUGS = frozenset({actors.NODE_USERNAME, "follow", "follows", "place"})
# Actor types that may represent a council.
COUNCIL_ACTOR_TYPES = frozenset({"Organization", "Group", "Application", "Service"})
DEFAULT_COLOUR = "#1d5b4f"
# The statuses with which servers refuse a server that is not allowed.
REFUSED_STATUSES = (401, 403)


def get_own(session: Session) -> Council | None:
    """The council of this node; None before the first set-up."""
    return session.scalar(select(Council).where(Council.slug.is_not(None)))


def require_own(session: Session) -> Council:
    council = get_own(session)
    if council is None:
        raise NotFoundError(msg("This server has not been set up yet."))
    return council


def by_slug(session: Session, slug: str) -> Council | None:
    return session.scalar(select(Council).where(Council.slug == slug))


SELECT_BY_ACTOR_URI = (
    select(Council)
    .join(Council.actor)
    .where(Actor.uri == bindparam("uri"))
    .options(contains_eager(Council.actor))
)


def by_actor_uri(session: Session, uri: str) -> Council | None:
    return session.scalar(SELECT_BY_ACTOR_URI, {"uri": uri})


def to_council_info(council: Council) -> CouncilInfo:
    """Convert a council for plugins."""
    return CouncilInfo(
        uri=council.actor.uri,
        name=council.name,
        address=council.actor.address,
        host=council.actor.host,
        is_local=council.is_local,
        gss_code=council.gss_code or "",
        region=council.region.value if council.region else "",
    )


def by_id(session: Session, council_id: int) -> Council:
    """Raises `NotFoundError`."""
    council = session.get(Council, council_id)
    if council is None:
        raise NotFoundError(msg("Council not found."))
    return council


def create_own(
    work: UnitOfWork, *, name: str, slug: str, colour: str = "", gss_code: str = ""
) -> Council:
    """Create the node's actor, and its council with an actor and keys.

    Raises `ConflictError` if the node has a council, `InvalidInputError` with all invalid fields.
    """
    if get_own(work.session) is not None:
        raise ConflictError(msg("This server already has a council."))
    name, slug, colour, gss_code = (
        trim(name),
        slug.strip().lower(),
        colour.strip().lower(),
        gss_code.strip().upper(),
    )
    field_errors: dict[str, Message] = {}
    if name_error := _name_error(name):
        field_errors["name"] = name_error
    if not SLUG.fullmatch(slug) or slug in RESERVED_SLUGS:
        field_errors["slug"] = msg(
            "Enter a short name using only lower-case letters, numbers and "
            "hyphens, such as aldermoor"
        )
    if colour and not COLOUR.fullmatch(colour):
        field_errors["colour"] = msg("Enter a colour such as #1d5b4f")
    if gss_code and not GSS_CODE.fullmatch(gss_code):
        field_errors["gss_code"] = msg("Enter a GSS code such as E06000037")
    if field_errors:
        raise InvalidInputError(msg("The council could not be set up."), field_errors)
    settings = work.settings
    actors.create_local(
        work.session,
        settings,
        uri=local_uris.node_actor(settings),
        kind="Application",
        username=actors.NODE_USERNAME,
        name=f"Moothall at {name}",
        url=settings.base_url,
    )
    uri = local_uris.council(settings, slug)
    actor = actors.create_local(
        work.session, settings, uri=uri, kind="Organization", username=slug, name=name, url=uri
    )
    council = Council(
        actor=actor,
        name=name,
        slug=slug,
        colour=colour or DEFAULT_COLOUR,
        gss_code=gss_code or None,
    )
    work.session.add(council)
    work.session.flush()
    work.audit("council.found", uri, name=name)
    return council


def _name_error(name: str) -> Message | None:
    if 1 <= len(name) <= 200:
        return find_text_error(name, 200)
    return msg("Enter the council’s name, using 200 characters or fewer")


def build_document(settings: Settings, council: Council) -> ActorDocument:
    """The ActivityPub document of our own council."""
    return replace(
        actors.build_document(settings, council.actor),
        gss_code=council.gss_code,
        location=places.to_place(council),
    )


def change_name(work: UnitOfWork, name: str) -> None:
    """Rename our council, and send the new name to our followers. Raises `InvalidInputError`."""
    council, name = require_own(work.session), trim(name)
    if name_error := _name_error(name):
        raise InvalidInputError(msg("The council could not be renamed."), {"name": name_error})
    council.name = council.actor.name = name
    publish_actor_update(work)
    work.audit("council.rename", council.actor.uri, name=name)


def publish_actor_update(work: UnitOfWork) -> None:
    """Send the current document of our council to its followers, as an Update."""
    work.session.flush()
    council = require_own(work.session)
    actor = council.actor
    activity = update_activity(
        local_uris.new_activity(work.settings),
        actor.uri,
        build_document(work.settings, council).dump(context=False),
        to=[PUBLIC_COLLECTION],
        cc=[actor.followers or ""],
    )
    outbox.publish(work, actor, activity)


def follow(work: UnitOfWork, actor: ActorDocument, *, approved_by_operator: bool = False) -> Follow:
    """Request to follow the council with the document `actor`.

    `approved_by_operator`: allow its server as well.

    Raises `InvalidInputError` for an actor that is not an organisation, represents a project, has
    moved, is blocked by our council, or blocks it.
    """
    if actor.type not in COUNCIL_ACTOR_TYPES:
        raise InvalidInputError(
            msg("This is the address of a person, not a council."),
            {"address": msg("Enter the address of a council")},
        )
    if actor.type == "Group" and actor.attributed_to:
        raise InvalidInputError(
            msg("This is the address of a project, not a council."),
            {"address": msg("Enter the council’s address to follow all its projects")},
        )
    host = host_of(actor.id)
    if approved_by_operator and not peers.is_allowed(work.session, work.settings, host):
        peers.decide(work, host, peers.ALLOWED)
    own = require_own(work.session).actor
    if actors.local_by_uri(work.session, actor.id) is None:
        if actor.moved_to:
            moved = msg(
                "The council has moved to %(uri)s. Enter that address instead.",
                uri=actor.moved_to,
            )
            raise InvalidInputError(
                msg("Your council cannot follow that council."), {"address": moved}
            )
        followed = upsert(work, actor).actor
        actor_blocks.check_may_follow(work.session, own, followed)
        followed.moved_to = None
    return following.request_follow(work, own, actor)


def unfollow(work: UnitOfWork, address: str) -> Council:
    """Stop following the council with an address (`@name@host`) or id, and notify its server.

    Raises `NotFoundError` if our council does not follow it.
    """
    for row in list_followed(work.session):
        if address in {row.council.actor.address, row.council.actor.uri}:
            following.unfollow(work, row.follow)
            return row.council
    raise NotFoundError(msg("Your council does not follow %(address)s.", address=address))


def upsert(work: UnitOfWork, document: ActorDocument) -> Council:
    """Create or update the actor and the council row of a remote council."""
    actor = actors.upsert(work.session, document)
    council = work.session.scalar(select(Council).where(Council.actor_id == actor.id))
    if council is None:
        council = Council(actor=actor, name=actor.name)
        work.session.add(council)
    update_from_document(work, actor, document)
    return council


def update_from_document(work: UnitOfWork, actor: Actor, document: ActorDocument) -> None:
    """Copy the name, GSS code and location of a remote council from its actor and document."""
    work.session.flush()
    work.session.execute(
        update(Council)
        .where(Council.actor_id == actor.id, Council.slug.is_(None))
        .values(
            name=actor.name, gss_code=document.gss_code, **places.parse_place(document.location)
        )
    )


def on_actor_deleted(work: UnitOfWork, event: ActorDeleted) -> None:
    """Erase the name, GSS code and location of a remote council whose account was deleted."""
    actor = work.session.get_one(Actor, event.actor_id)
    cleared = {"gss_code": None, **places.parse_place(None)}
    is_council = Council.actor_id == actor.id, Council.slug.is_(None)
    work.session.execute(update(Council).where(*is_council).values(name=actor.name, **cleared))


@dataclass(frozen=True)
class FollowedCouncil:
    """A council that our council follows or has asked to follow.

    `heard_at`: when its server last sent anything. `is_refused`: the server refused the pending
    Follow with 401 or 403, as it does until its operator allows our server.
    """

    follow: Follow
    council: Council
    heard_at: datetime | None
    is_refused: bool


def list_followed(session: Session) -> list[FollowedCouncil]:
    """The councils that ours follows or has asked to follow, sorted by name."""
    own_actor_id = select(Council.actor_id).where(Council.slug.is_not(None)).scalar_subquery()
    refused = (
        select(DeliveryAttempt.id)
        .join(Delivery, Delivery.id == DeliveryAttempt.delivery_id)
        .join(OutboxActivity, OutboxActivity.id == Delivery.activity_id)
        .where(OutboxActivity.uri == Follow.uri, DeliveryAttempt.status.in_(REFUSED_STATUSES))
        .where(Delivery.state != "delivered")
    )
    rows = session.execute(
        select(Follow, Council, Peer.heard_at, (Follow.state == "requested") & refused.exists())
        .join(Council, Council.actor_id == Follow.followed_id)
        .join(Actor, Actor.id == Follow.followed_id)
        .outerjoin(Peer, Peer.host == Actor.host)
        .where(Follow.follower_id == own_actor_id)
        .order_by(func.lower(Council.name), Council.id)
    )
    return [FollowedCouncil(*row) for row in rows]
