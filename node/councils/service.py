"""What can be done with councils: found our own, follow others."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session, contains_eager

from federation.addressing import PUBLIC
from federation.origin import host_of
from federation.vocabulary import ActorDocument
from federation.vocabulary import update as update_activity
from node.councils import places
from node.councils.models import Council
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.federating import actor_blocks, actors, following, local_uris, outbox, peers
from node.federating.models import (
    Actor,
    Delivery,
    DeliveryAttempt,
    Follow,
    OutboxActivity,
    Peer,
)
from node.messages import Message, msg
from node.plugin_views import CouncilView
from node.runtime import UnitOfWork
from node.settings import Settings
from node.text import misfit, trim

SLUG = re.compile(r"[a-z](?:[a-z0-9-]{0,48}[a-z0-9])?")
COLOUR = re.compile(r"#[0-9a-f]{6}")
GSS_CODE = re.compile(r"[EWSN]\d{8}")
# Words that stand in the addresses of this node already.
RESERVED_SLUGS = frozenset({actors.NODE_USERNAME, "follow", "follows", "place"})
# Actors that may speak for a council.
COUNCIL_ACTOR_TYPES = frozenset({"Organization", "Group", "Application", "Service"})
DEFAULT_COLOUR = "#1d5b4f"
# How a server answers that does not speak with ours.
REFUSED_STATUSES = (401, 403)


def own(session: Session) -> Council | None:
    """The council of this node; None until it is founded."""
    return session.scalar(select(Council).where(Council.slug.is_not(None)))


def require_own(session: Session) -> Council:
    council = own(session)
    if council is None:
        raise NotFoundError(msg("This server has not been set up yet."))
    return council


def by_slug(session: Session, slug: str) -> Council | None:
    return session.scalar(select(Council).where(Council.slug == slug))


SELECT_BY_ACTOR = (
    select(Council)
    .join(Council.actor)
    .where(Actor.uri == bindparam("uri"))
    .options(contains_eager(Council.actor))
)


def by_actor_uri(session: Session, uri: str) -> Council | None:
    return session.scalar(SELECT_BY_ACTOR, {"uri": uri})


def to_plugin_view(council: Council) -> CouncilView:
    """The council as plugins see it."""
    return CouncilView(
        uri=council.actor.uri,
        name=council.name,
        address=council.actor.address,
        host=council.actor.host,
        is_local=council.is_local,
        gss_code=council.gss_code or "",
        region=council.region.value if council.region else "",
    )


def by_id(session: Session, number: int) -> Council:
    """A council by the number of its row. Raises `NotFoundError`."""
    council = session.get(Council, number)
    if council is None:
        raise NotFoundError(msg("There is no such council here."))
    return council


def create_own(
    work: UnitOfWork, *, name: str, slug: str, colour: str = "", gss_code: str = ""
) -> Council:
    """Set the node up: its own actor, and its council with an actor and a key.

    Raises `ConflictError` if that was done, `InvalidInputError` with what is wrong in which field.
    """
    if own(work.session) is not None:
        raise ConflictError(msg("This server already has a council."))
    name, slug, colour, gss_code = (
        trim(name),
        slug.strip().lower(),
        colour.strip().lower(),
        gss_code.strip().upper(),
    )
    wrong: dict[str, Message] = {}
    if wrong_name := _name_error(name):
        wrong["name"] = wrong_name
    if not SLUG.fullmatch(slug) or slug in RESERVED_SLUGS:
        wrong["slug"] = msg(
            "Enter a short name using only lower-case letters, numbers and "
            "hyphens, such as aldermoor"
        )
    if colour and not COLOUR.fullmatch(colour):
        wrong["colour"] = msg("Enter a colour such as #1d5b4f")
    if gss_code and not GSS_CODE.fullmatch(gss_code):
        wrong["gss_code"] = msg("Enter a GSS code such as E06000037")
    if wrong:
        raise InvalidInputError(msg("The council could not be set up."), wrong)
    settings = work.settings
    actors.create_local(
        work.session,
        settings,
        uri=local_uris.node_actor(settings),
        kind="Application",
        username=actors.NODE_USERNAME,
        name=f"Moothall of {name}",
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
        return misfit(name, 200)
    return msg("Enter the council’s name, using 200 characters or fewer")


def build_document(settings: Settings, council: Council) -> ActorDocument:
    """The document of our own council."""
    return replace(
        actors.build_document(settings, council.actor),
        gss_code=council.gss_code,
        location=places.to_place(council),
    )


def change_name(work: UnitOfWork, name: str) -> None:
    """Our council is called `name` from now on, here and where it is followed.

    Raises `InvalidInputError`.
    """
    council, name = require_own(work.session), trim(name)
    if wrong := _name_error(name):
        raise InvalidInputError(msg("The council could not be renamed."), {"name": wrong})
    council.name = council.actor.name = name
    publish_actor_update(work)
    work.audit("council.rename", council.actor.uri, name=name)


def publish_actor_update(work: UnitOfWork) -> None:
    """Tell the followers what our council's document says now."""
    work.session.flush()
    council = require_own(work.session)
    actor = council.actor
    activity = update_activity(
        local_uris.new_activity(work.settings),
        actor.uri,
        build_document(work.settings, council).dump(context=False),
        to=[PUBLIC],
        cc=[actor.followers or ""],
    )
    outbox.publish(work, actor, activity)


def follow(
    work: UnitOfWork, found_actor: ActorDocument, *, approved_by_operator: bool = False
) -> Follow:
    """Our council asks to follow the council whose actor was found.

    `vouched`: an operator asks, which allows the server.

    Raises `InvalidInputError` for an actor that is not an organisation, is one project, has moved,
    or is blocked by ours or blocks ours.
    """
    if found_actor.type not in COUNCIL_ACTOR_TYPES:
        raise InvalidInputError(
            msg("That is a person, not a council."),
            {"address": msg("Enter the address of a council")},
        )
    if found_actor.type == "Group" and found_actor.attributed_to:
        raise InvalidInputError(
            msg("That is the address of a project, not a council."),
            {"address": msg("Enter the council’s address to follow all its projects")},
        )
    host = host_of(found_actor.id)
    if approved_by_operator and not peers.is_allowed(work.session, work.settings, host):
        peers.decide(work, host, peers.ALLOWED)
    own = require_own(work.session).actor
    if actors.local_by_uri(work.session, found_actor.id) is None:
        if found_actor.moved_to:
            moved = msg(
                "That council has moved to %(uri)s. Enter that address instead",
                uri=found_actor.moved_to,
            )
            raise InvalidInputError(msg("You cannot follow that council."), {"address": moved})
        followed = upsert(work, found_actor).actor
        actor_blocks.check_may_follow(work.session, own, followed)
        followed.moved_to = None
    return following.request_follow(work, own, found_actor)


def unfollow(work: UnitOfWork, address: str) -> Council:
    """Our council no longer follows the one with this address or id, which is told.

    Raises `NotFoundError` for one that it does not follow.
    """
    for row in list_followed(work.session):
        if address in {row.council.actor.address, row.council.actor.uri}:
            following.unfollow(work, row.follow)
            return row.council
    raise NotFoundError(msg("We do not follow %(address)s.", address=address))


def upsert(work: UnitOfWork, document: ActorDocument) -> Council:
    """The row of a remote council, made or changed after its actor."""
    actor = actors.upsert(work.session, document)
    council = work.session.scalar(select(Council).where(Council.actor_id == actor.id))
    if council is None:
        council = Council(actor=actor, name=actor.name)
        work.session.add(council)
    update_from_document(work, actor, document)
    return council


def update_from_document(work: UnitOfWork, actor: Actor, document: ActorDocument) -> None:
    """A remote council is called what its actor is called, and is where its document says."""
    work.session.flush()
    work.session.execute(
        update(Council)
        .where(Council.actor_id == actor.id, Council.slug.is_(None))
        .values(
            name=actor.name, gss_code=document.gss_code, **places.parse_place(document.location)
        )
    )


def on_actor_deleted(work: UnitOfWork, actor: Actor, _most: int) -> bool:
    """The account of a council on another server is deleted: its name and place are forgotten."""
    nowhere = {"gss_code": None, **places.parse_place(None)}
    theirs = Council.actor_id == actor.id, Council.slug.is_(None)
    work.session.execute(update(Council).where(*theirs).values(name=actor.name, **nowhere))
    return False


@dataclass(frozen=True)
class FollowedCouncil:
    """A council that ours follows or asked to. `heard_at`: when its server last sent anything.
    `is_refused`: its server answered our Follow with 401 or 403, as it does until its operator
    allows ours.
    """

    follow: Follow
    council: Council
    heard_at: datetime | None
    is_refused: bool


def list_followed(session: Session) -> list[FollowedCouncil]:
    """Whom our council follows or asked to follow, by name."""
    ours = select(Council.actor_id).where(Council.slug.is_not(None)).scalar_subquery()
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
        .where(Follow.follower_id == ours)
        .order_by(func.lower(Council.name), Council.id)
    )
    return [FollowedCouncil(*row) for row in rows]
