"""Pages for password reset."""

import math

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import TooManyRequests

from node.errors import InvalidInputError
from node.passwords import service
from node.passwords.forms import ForgottenPasswordForm, NewPasswordForm
from node.people import service as people
from node.people.attempt_limits import AttemptLimiter, network_of
from node.people.forms import EMAIL_MISSING, MAX_LEN_EMAIL
from node.principal import Via
from node.request import PUBLIC, current_work, permission

blueprint = Blueprint("passwords", __name__, template_folder="templates")

EXTENSION_KEY = "moothall-new-passwords"
HOUR_SECONDS = 3600.0
# Requests per hour. A whole council may sit behind one address; one person needs few emails.
MAX_PER_ADDRESS, MAX_PER_PERSON = 30, 3


class PasswordRequestLimits:
    """Rate limits for requests, counted in this process."""

    def __init__(self) -> None:
        self.addresses = AttemptLimiter(MAX_PER_ADDRESS, HOUR_SECONDS)
        self.people = AttemptLimiter(MAX_PER_PERSON, HOUR_SECONDS)


@blueprint.record_once
def _init_limits(state: BlueprintSetupState) -> None:
    state.app.extensions[EXTENSION_KEY] = PasswordRequestLimits()


@blueprint.get("/forgotten-password")
@permission(PUBLIC)
def ask_form() -> ResponseReturnValue:
    return render_template("passwords/ask.html", form=ForgottenPasswordForm())


@blueprint.post("/forgotten-password")
@permission(PUBLIC)
def ask() -> ResponseReturnValue:
    """Request a new password. The response does not show whether the account exists."""
    form = ForgottenPasswordForm()
    # Accounts are stored in lower case.
    email = (form.email.data or "").strip().lower()
    if not form.validate_on_submit():
        return render_template("passwords/ask.html", form=form), 400
    if "@" not in email or "\0" in email or len(email) > MAX_LEN_EMAIL:
        form.email.errors = [EMAIL_MISSING]
        return render_template("passwords/ask.html", form=form), 400
    limits: PasswordRequestLimits = current_app.extensions[EXTENSION_KEY]
    wait = limits.addresses.hit(network_of(request.remote_addr or ""))
    if wait:
        raise TooManyRequests(retry_after=math.ceil(wait))
    # Beyond the limit no email is sent, but the response is the same.
    if not limits.people.hit(email):
        service.request_reset(current_work(), email)
    return redirect(url_for("passwords.asked"), 303)


@blueprint.get("/forgotten-password/sent")
@permission(PUBLIC)
def asked() -> ResponseReturnValue:
    return render_template("passwords/asked.html")


@blueprint.get(service.NEW_PASSWORD_PATH)
@permission(PUBLIC)
def choose_form() -> ResponseReturnValue:
    """The form to choose a new password, with the key from the emailed link."""
    key = request.args.get("key", "")
    if service.find_user_by_key(current_work().session, key) is None:
        return _render_expired()
    form = NewPasswordForm(formdata=None)
    form.key.data = key
    return render_template("passwords/choose.html", form=form)


@blueprint.post(service.NEW_PASSWORD_PATH)
@permission(PUBLIC)
def choose() -> ResponseReturnValue:
    form, work = NewPasswordForm(), current_work()
    key = form.key.data or ""
    if service.find_user_by_key(work.session, key) is None:
        return _render_expired()
    if not form.validate_on_submit():
        return render_template("passwords/choose.html", form=form), 400
    work.pause()
    try:
        password_hash = people.hash_new_password(form.password.data or "")
    except InvalidInputError as error:
        form.add_errors(error)
        return render_template("passwords/choose.html", form=form), 400
    user = service.find_user_by_key(work.session, key)
    if user is None:  # the key was used or revoked meanwhile
        return _render_expired()
    work.by = user.to_principal(Via.signed_link)
    people.set_password(work, user, password_hash)
    flash(_("Your password has been changed. Sign in with your new password."), "success")
    return redirect(url_for("security.login"), 303)


def _render_expired() -> ResponseReturnValue:
    return render_template("passwords/too_old.html"), 410
