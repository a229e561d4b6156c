"""What can be done with councils: found our own, follow others."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session, contains_eager

from federation.addressing import PUBLIC
from federation.origin import host_of
from federation.vocabulary import Actor as ActorDocument
from federation.vocabulary import update as update_activity
from node.councils import places
from node.councils.models import Council
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.federating import actors, addresses, blocking, following, peers, publishing
from node.federating.models import (
    Actor,
    Delivery,
    DeliveryAttempt,
    Follow,
    OutboxActivity,
    Peer,
)
from node.runtime import UnitOfWork
from node.settings import Settings
from node.shown import CouncilView
from node.text import misfit, trim
from node.wording import Saying, say

SLUG = re.compile(r"[a-z](?:[a-z0-9-]{0,48}[a-z0-9])?")
COLOUR = re.compile(r"#[0-9a-f]{6}")
GSS_CODE = re.compile(r"[EWSN]\d{8}")
# Words that stand in the addresses of this node already.
RESERVED = frozenset({actors.NODE_USERNAME, "follow", "follows", "place"})
# Actors that may speak for a council.
FOLLOWABLE = frozenset({"Organization", "Group", "Application", "Service"})
DEFAULT_COLOUR = "#1d5b4f"
# How a server answers that does not speak with ours.
REFUSED = (401, 403)


def own(session: Session) -> Council | None:
    """The council of this node; None until it is founded."""
    return session.scalar(select(Council).where(Council.slug.is_not(None)))


def require_own(session: Session) -> Council:
    council = own(session)
    if council is None:
        raise NotFoundError(say("This server has not been set up yet."))
    return council


def by_slug(session: Session, slug: str) -> Council | None:
    return session.scalar(select(Council).where(Council.slug == slug))


BY_ACTOR = (
    select(Council)
    .join(Council.actor)
    .where(Actor.uri == bindparam("uri"))
    .options(contains_eager(Council.actor))
)


def by_actor_uri(session: Session, uri: str) -> Council | None:
    return session.scalar(BY_ACTOR, {"uri": uri})


def as_view(council: Council) -> CouncilView:
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


def by_number(session: Session, number: int) -> Council:
    """A council by the number of its row. Raises `NotFoundError`."""
    council = session.get(Council, number)
    if council is None:
        raise NotFoundError(say("There is no such council here."))
    return council


def found(
    work: UnitOfWork, *, name: str, slug: str, colour: str = "", gss_code: str = ""
) -> Council:
    """Set the node up: its own actor, and its council with an actor and a key.

    Raises `ConflictError` if that was done, `InvalidInputError` with what is wrong in which field.
    """
    if own(work.session) is not None:
        raise ConflictError(say("This server already has a council."))
    name, slug, colour, gss_code = (
        trim(name),
        slug.strip().lower(),
        colour.strip().lower(),
        gss_code.strip().upper(),
    )
    wrong: dict[str, Saying] = {}
    if wrong_name := _wrong_name(name):
        wrong["name"] = wrong_name
    if not SLUG.fullmatch(slug) or slug in RESERVED:
        wrong["slug"] = say(
            "Enter a short name using only lower-case letters, numbers and "
            "hyphens, such as aldermoor"
        )
    if colour and not COLOUR.fullmatch(colour):
        wrong["colour"] = say("Enter a colour such as #1d5b4f")
    if gss_code and not GSS_CODE.fullmatch(gss_code):
        wrong["gss_code"] = say("Enter a GSS code such as E06000037")
    if wrong:
        raise InvalidInputError(say("The council could not be set up."), wrong)
    settings = work.settings
    actors.create_local(
        work.session,
        settings,
        uri=addresses.node_actor(settings),
        kind="Application",
        username=actors.NODE_USERNAME,
        name=f"Moothall of {name}",
        url=settings.base_url,
    )
    uri = addresses.council(settings, slug)
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


def _wrong_name(name: str) -> Saying | None:
    if 1 <= len(name) <= 200:
        return misfit(name, 200)
    return say("Enter the council’s name, using 200 characters or fewer")


def describe(settings: Settings, council: Council) -> ActorDocument:
    """The document of our own council."""
    return replace(
        actors.describe(settings, council.actor),
        gss_code=council.gss_code,
        location=places.describe(council),
    )


def change_name(work: UnitOfWork, name: str) -> None:
    """Our council is called `name` from now on, here and where it is followed.

    Raises `InvalidInputError`.
    """
    council, name = require_own(work.session), trim(name)
    if wrong := _wrong_name(name):
        raise InvalidInputError(say("The council could not be renamed."), {"name": wrong})
    council.name = council.actor.name = name
    tell(work)
    work.audit("council.rename", council.actor.uri, name=name)


def tell(work: UnitOfWork) -> None:
    """Tell the followers what our council's document says now."""
    work.session.flush()
    council = require_own(work.session)
    actor = council.actor
    activity = update_activity(
        addresses.new_activity(work.settings),
        actor.uri,
        describe(work.settings, council).dump(context=False),
        to=[PUBLIC],
        cc=[actor.followers or ""],
    )
    publishing.publish(work, actor, activity)


def follow(work: UnitOfWork, found_actor: ActorDocument, *, vouched: bool = False) -> Follow:
    """Our council asks to follow the council whose actor was found.

    `vouched`: an operator asks, which allows the server.

    Raises `InvalidInputError` for an actor that is not an organisation, is one project, has moved,
    or is blocked by ours or blocks ours.
    """
    if found_actor.type not in FOLLOWABLE:
        raise InvalidInputError(
            say("That is a person, not a council."),
            {"address": say("Enter the address of a council")},
        )
    if found_actor.type == "Group" and found_actor.attributed_to:
        raise InvalidInputError(
            say("That is the address of a project, not a council."),
            {"address": say("Enter the council’s address to follow all its projects")},
        )
    host = host_of(found_actor.id)
    if vouched and not peers.is_allowed(work.session, work.settings, host):
        peers.decide(work, host, peers.ALLOWED)
    own = require_own(work.session).actor
    if actors.local_by_uri(work.session, found_actor.id) is None:
        if found_actor.moved_to:
            moved = say(
                "That council has moved to %(uri)s. Enter that address instead",
                uri=found_actor.moved_to,
            )
            raise InvalidInputError(say("You cannot follow that council."), {"address": moved})
        followed = remember(work, found_actor).actor
        blocking.check_may_follow(work.session, own, followed)
        followed.moved_to = None
    return following.request(work, own, found_actor)


def unfollow(work: UnitOfWork, address: str) -> Council:
    """Our council no longer follows the one with this address or id, which is told.

    Raises `NotFoundError` for one that it does not follow.
    """
    for row in followed(work.session):
        if address in {row.council.actor.address, row.council.actor.uri}:
            following.end(work, row.follow)
            return row.council
    raise NotFoundError(say("We do not follow %(address)s.", address=address))


def remember(work: UnitOfWork, document: ActorDocument) -> Council:
    """The row of a remote council, made or changed after its actor."""
    actor = actors.remember(work.session, document)
    council = work.session.scalar(select(Council).where(Council.actor_id == actor.id))
    if council is None:
        council = Council(actor=actor, name=actor.name)
        work.session.add(council)
    note(work, actor, document)
    return council


def note(work: UnitOfWork, actor: Actor, document: ActorDocument) -> None:
    """A remote council is called what its actor is called, and is where its document says."""
    work.session.flush()
    work.session.execute(
        update(Council)
        .where(Council.actor_id == actor.id, Council.slug.is_(None))
        .values(name=actor.name, gss_code=document.gss_code, **places.told(document.location))
    )


def remove_all_of(work: UnitOfWork, actor: Actor, _most: int) -> bool:
    """The account of a council on another server is deleted: its name and place are forgotten."""
    nowhere = {"gss_code": None, **places.told(None)}
    theirs = Council.actor_id == actor.id, Council.slug.is_(None)
    work.session.execute(update(Council).where(*theirs).values(name=actor.name, **nowhere))
    return False


@dataclass(frozen=True)
class Followed:
    """A council that ours follows or asked to. `heard_at`: when its server last sent anything.
    `is_refused`: its server answered our Follow with 401 or 403, as it does until its operator
    allows ours.
    """

    follow: Follow
    council: Council
    heard_at: datetime | None
    is_refused: bool


def followed(session: Session) -> list[Followed]:
    """Whom our council follows or asked to follow, by name."""
    ours = select(Council.actor_id).where(Council.slug.is_not(None)).scalar_subquery()
    refused = (
        select(DeliveryAttempt.id)
        .join(Delivery, Delivery.id == DeliveryAttempt.delivery_id)
        .join(OutboxActivity, OutboxActivity.id == Delivery.activity_id)
        .where(OutboxActivity.uri == Follow.uri, DeliveryAttempt.status.in_(REFUSED))
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
    return [Followed(*row) for row in rows]
