"""The choice of an officer to be seen, and what others then see: a page, and documents."""

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from flask_wtf import FlaskForm

from federation.vocabulary import Tombstone
from node.councils import service as councils
from node.errors import GoneError, InvalidInputError, NotFoundError
from node.federating import actors, addresses
from node.federating.models import Actor
from node.federating.views.asking import refuse_blocked_readers
from node.federating.views.collections import (
    featured_of,
    followers_of,
    following_of,
    outbox_of,
)
from node.officers import announcing, service
from node.officers.forms import ProfileForm
from node.request import PUBLIC, activity_response, current_work, permission, wants_activity
from node.updates.models import Update
from node.wording import say

blueprint = Blueprint("officers", __name__, template_folder="templates")

PROFILE = "account.profile"


def writers_of(updates: Sequence[Update]) -> dict[str, Actor]:
    """Who wrote which of some updates, for the pages that show them."""
    return announcing.writers(current_work().session, updates)


@blueprint.get("/account/profile")
@permission(PROFILE)
def profile() -> ResponseReturnValue:
    """What is public of whoever is signed in, which is nothing unless they chose it."""
    form, actor, work = ProfileForm(), _mine(), current_work()
    form.name.data = actor.name if actor else current_user.name
    if actor:
        form.about.data = service.about_of(actor)
    else:
        form.username.data = service.suggest(work.session, work.settings, current_user.name)
    return _profile_page(form, actor)


@blueprint.post("/account/profile")
@permission(PROFILE)
def save() -> ResponseReturnValue:
    """Choose to be seen, or say something else of oneself."""
    form, actor, work = ProfileForm(), _mine(), current_work()
    if not form.validate_on_submit():
        return _profile_page(form, actor), 400
    try:
        if actor:
            service.change(work, actor, form.profile())
            flash(
                _("Your profile has been saved. Any changes are being sent to your followers."),
                "success",
            )
        else:
            service.choose(work, current_user, form.profile(), form.username.data or "")
            flash(_("Your profile is now public. You can withdraw it on this page."), "success")
    except InvalidInputError as error:
        form.show(error)
        return _profile_page(form, actor), 400
    return redirect(url_for("officers.profile"), 303)


@blueprint.get("/account/profile/withdraw")
@permission(PROFILE)
def confirm_withdraw() -> ResponseReturnValue:
    return render_template("officers/withdraw.html", form=FlaskForm(), officer=_require_mine())


@blueprint.post("/account/profile/withdraw")
@permission(PROFILE)
def withdraw() -> ResponseReturnValue:
    service.withdraw(current_work(), _require_mine())
    flash(_("Your profile has been withdrawn. Your followers are being notified."), "success")
    return redirect(url_for("officers.profile"), 303)


@blueprint.get("/officers/<username>")
@permission(PUBLIC)
def show(username: str) -> ResponseReturnValue:
    """An officer who chose to be seen: their page, or their actor for another server."""
    refuse_blocked_readers()
    work, is_document = current_work(), wants_activity()
    try:
        officer = _seen(username)
    except GoneError:
        if not is_document:
            raise
        uri = addresses.officer(work.settings, username)
        gone = Tombstone(uri, service.KIND, service.gone_at(work.session, uri))
        return activity_response(gone.dump(), 410)
    if is_document:
        return activity_response(actors.describe(work.settings, officer).dump())
    return render_template(
        "officers/officer.html",
        officer=officer,
        about=service.about_of(officer),
        council=councils.require_own(work.session),
        updates=announcing.latest(work.session, officer),
    )


@blueprint.get("/officers/<username>/outbox")
@permission(PUBLIC)
def outbox(username: str) -> ResponseReturnValue:
    """The updates they wrote, newest first, as they announced them."""
    refuse_blocked_readers()
    return outbox_of(_seen(username))


@blueprint.get("/officers/<username>/followers")
@permission(PUBLIC)
def followers(username: str) -> ResponseReturnValue:
    """How many follow; not who."""
    refuse_blocked_readers()
    return followers_of(_seen(username))


@blueprint.get("/officers/<username>/following")
@permission(PUBLIC)
def following(username: str) -> ResponseReturnValue:
    """How many they follow."""
    refuse_blocked_readers()
    return following_of(_seen(username))


@blueprint.get("/officers/<username>/featured")
@permission(PUBLIC)
def featured(username: str) -> ResponseReturnValue:
    """What they put first."""
    refuse_blocked_readers()
    return featured_of(_seen(username))


def _seen(username: str) -> Actor:
    work = current_work()
    return service.by_username(work.session, work.settings, username)


def _mine() -> Actor | None:
    return service.of_user(current_work().session, current_user)


def _require_mine() -> Actor:
    actor = _mine()
    if actor is None:
        raise NotFoundError(say("Your profile is not public."))
    return actor


def _profile_page(form: ProfileForm, actor: Actor | None) -> str:
    council = councils.require_own(current_work().session)
    return render_template("officers/profile.html", form=form, officer=actor, council=council)
