"""The page on which officers manage their profile, and its public page and documents."""

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from flask_wtf import FlaskForm

from federation.vocabulary import Tombstone
from node.access.permissions import PROFILE
from node.councils import service as councils
from node.errors import GoneError, InvalidInputError, NotFoundError
from node.federating.identity import actors, local_uris
from node.federating.models import Actor
from node.federating.views.collections import (
    featured_response,
    followers_response,
    following_response,
    outbox_response,
)
from node.federating.views.current_viewer import refuse_blocked_servers
from node.messages import msg
from node.officers import announcements, service
from node.officers.forms import ProfileForm
from node.request import PUBLIC, activity_response, current_work, permission, wants_activity
from node.updates.models import Update

blueprint = Blueprint("officers", __name__, template_folder="templates")


def writers_of(updates: Sequence[Update]) -> dict[str, Actor]:
    """The actors of updates' authors, by update id, for the pages that show updates."""
    return announcements.find_writers(current_work().session, updates)


@blueprint.get("/account/profile")
@permission(PROFILE)
def profile() -> ResponseReturnValue:
    """The current user's public profile, or the form to create one."""
    form, actor, work = ProfileForm(), _own_actor(), current_work()
    form.name.data = actor.name if actor else current_user.name
    if actor:
        form.about.data = service.about_text(actor)
    else:
        form.username.data = service.suggest_username(
            work.session, work.settings, current_user.name
        )
    return _render_profile(form, actor)


@blueprint.post("/account/profile")
@permission(PROFILE)
def save() -> ResponseReturnValue:
    """Create or change the current user's public profile."""
    form, actor, work = ProfileForm(), _own_actor(), current_work()
    if not form.validate_on_submit():
        return _render_profile(form, actor), 400
    try:
        if actor:
            service.update_profile(work, actor, form.to_profile())
            flash(
                _("Your profile has been saved. Any changes are being sent to your followers."),
                "success",
            )
        else:
            service.create_profile(work, current_user, form.to_profile(), form.username.data or "")
            flash(_("Your profile is now public. You can withdraw it on this page."), "success")
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_profile(form, actor), 400
    return redirect(url_for("officers.profile"), 303)


@blueprint.get("/account/profile/withdraw")
@permission(PROFILE)
def confirm_withdraw() -> ResponseReturnValue:
    return render_template("officers/withdraw.html", form=FlaskForm(), officer=_require_own_actor())


@blueprint.post("/account/profile/withdraw")
@permission(PROFILE)
def withdraw() -> ResponseReturnValue:
    service.withdraw_profile(current_work(), _require_own_actor())
    flash(_("Your profile has been withdrawn. Your followers are being notified."), "success")
    return redirect(url_for("officers.profile"), 303)


@blueprint.get("/officers/<username>")
@permission(PUBLIC)
def show(username: str) -> ResponseReturnValue:
    """An officer's public profile: a page, or the actor document for another server."""
    refuse_blocked_servers()
    work, is_document = current_work(), wants_activity()
    try:
        officer = _public_officer(username)
    except GoneError:
        if not is_document:
            raise
        uri = local_uris.officer(work.settings, username)
        tombstone = Tombstone(uri, service.ACTOR_KIND, service.withdrawn_at(work.session, uri))
        return activity_response(tombstone.dump(), 410)
    if is_document:
        return activity_response(actors.build_document(work.settings, officer).dump())
    return render_template(
        "officers/officer.html",
        officer=officer,
        about=service.about_text(officer),
        council=councils.require_own(work.session),
        updates=announcements.list_latest(work.session, officer),
    )


@blueprint.get("/officers/<username>/outbox")
@permission(PUBLIC)
def outbox(username: str) -> ResponseReturnValue:
    """The officer's announcements of their updates, newest first."""
    refuse_blocked_servers()
    return outbox_response(_public_officer(username))


@blueprint.get("/officers/<username>/followers")
@permission(PUBLIC)
def followers(username: str) -> ResponseReturnValue:
    """The number of followers, without their names."""
    refuse_blocked_servers()
    return followers_response(_public_officer(username))


@blueprint.get("/officers/<username>/following")
@permission(PUBLIC)
def following(username: str) -> ResponseReturnValue:
    """The number of actors that the officer follows."""
    refuse_blocked_servers()
    return following_response(_public_officer(username))


@blueprint.get("/officers/<username>/featured")
@permission(PUBLIC)
def featured(username: str) -> ResponseReturnValue:
    """The officer's featured objects."""
    refuse_blocked_servers()
    return featured_response(_public_officer(username))


def _public_officer(username: str) -> Actor:
    work = current_work()
    return service.by_username(work.session, work.settings, username)


def _own_actor() -> Actor | None:
    return service.find_actor(current_work().session, current_user)


def _require_own_actor() -> Actor:
    actor = _own_actor()
    if actor is None:
        raise NotFoundError(msg("Your profile is not public."))
    return actor


def _render_profile(form: ProfileForm, actor: Actor | None) -> str:
    council = councils.require_own(current_work().session)
    return render_template("officers/profile.html", form=form, officer=actor, council=council)
