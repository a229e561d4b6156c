"""The ActivityPub endpoints of a project's actor: its document and collections."""

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from federation.vocabulary import Tombstone
from node.errors import GoneError, NotFoundError
from node.federating.identity import actors
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
    """The actor's document. Browsers are redirected to the project's page."""
    if not wants_activity():
        return redirect(url_for("projects.show", token=token))
    work = current_work()
    try:
        group = _get_readable_group(token)
    except GoneError:
        deleted = service.get_deleted(work.session, token)
        if deleted.actor is None or not deleted.is_local:
            raise
        tombstone = Tombstone(deleted.actor.uri, "Group", deleted.deleted_at)
        return activity_response(tombstone.dump(), 410)
    return activity_response(actors.build_document(work.settings, group).dump())


@blueprint.get("/projects/<token>/group/outbox")
@permission(PUBLIC)
def outbox(token: str) -> ResponseReturnValue:
    """Public announcements, or those the reader may see, newest first."""
    return outbox_response(_get_readable_group(token))


@blueprint.get("/projects/<token>/group/followers")
@permission(PUBLIC)
def followers(token: str) -> ResponseReturnValue:
    """The number of followers, without their names."""
    return followers_response(_get_readable_group(token))


@blueprint.get("/projects/<token>/group/following")
@permission(PUBLIC)
def following(token: str) -> ResponseReturnValue:
    """The number of actors this one follows."""
    return following_response(_get_readable_group(token))


@blueprint.get("/projects/<token>/group/featured")
@permission(PUBLIC)
def featured(token: str) -> ResponseReturnValue:
    """The featured collection of the actor."""
    return featured_response(_get_readable_group(token))


def _get_readable_group(token: str) -> Actor:
    """The actor of a project of ours that the reader may see. Raises `NotFoundError`."""
    refuse_blocked_servers()
    project = find_public_first(
        lambda reader: service.by_token(current_work().session, token, reader)
    )
    if not project.is_local or project.actor is None:
        raise NotFoundError(msg("Project not found."))
    return project.actor
