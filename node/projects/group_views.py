"""What other servers read of the actor of a project: itself, what it said, how many follow it."""

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from federation.vocabulary import Tombstone
from node.errors import GoneError, NotFoundError
from node.federating import actors
from node.federating.models import Actor
from node.federating.views.collections import (
    featured_response,
    followers_response,
    following_response,
    outbox_response,
)
from node.federating.views.current_viewer import find_public_first, refuse_blocked_servers
from node.messages import msg
from node.projects import service
from node.request import PUBLIC, activity_response, current_work, permission, wants_activity

blueprint = Blueprint("groups", __name__)


@blueprint.get("/projects/<token>/group")
@permission(PUBLIC)
def show(token: str) -> ResponseReturnValue:
    """The actor of a project; for people the project's page."""
    if not wants_activity():
        return redirect(url_for("projects.show", token=token))
    work = current_work()
    try:
        group = _readable_group(token)
    except GoneError:
        gone = service.get_deleted(work.session, token)
        if gone.actor is None or not gone.is_local:
            raise
        tombstone = Tombstone(gone.actor.uri, "Group", gone.deleted_at)
        return activity_response(tombstone.dump(), 410)
    return activity_response(actors.build_document(work.settings, group).dump())


@blueprint.get("/projects/<token>/group/outbox")
@permission(PUBLIC)
def outbox(token: str) -> ResponseReturnValue:
    """What it announced to all, or to those who may read it, newest first."""
    return outbox_response(_readable_group(token))


@blueprint.get("/projects/<token>/group/followers")
@permission(PUBLIC)
def followers(token: str) -> ResponseReturnValue:
    """How many follow; not who."""
    return followers_response(_readable_group(token))


@blueprint.get("/projects/<token>/group/following")
@permission(PUBLIC)
def following(token: str) -> ResponseReturnValue:
    """How many it follows."""
    return following_response(_readable_group(token))


@blueprint.get("/projects/<token>/group/featured")
@permission(PUBLIC)
def featured(token: str) -> ResponseReturnValue:
    """What it puts first."""
    return featured_response(_readable_group(token))


def _readable_group(token: str) -> Actor:
    """The actor of a project that the reader may see."""
    refuse_blocked_servers()
    project = find_public_first(
        lambda reader: service.by_token(current_work().session, token, reader)
    )
    if not project.is_local or project.actor is None:
        raise NotFoundError(msg("There is no such project."))
    return project.actor
