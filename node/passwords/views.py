"""The pages of those who forgot their passwords."""

import math

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import TooManyRequests

from node.errors import InvalidInputError
from node.passwords import service
from node.passwords.forms import AskForm, ChooseForm
from node.people import service as people
from node.people.forms import LONGEST_EMAIL, NO_EMAIL
from node.people.tries import Tries, origin
from node.request import PUBLIC, current_work, permission

blueprint = Blueprint("passwords", __name__, template_folder="templates")

EXTENSION = "moothall-new-passwords"
HOUR = 3600.0
# Whole councils sit behind one address; nobody needs many e-mails.
PER_ADDRESS, PER_PERSON = 30, 3


class Asked:
    """How often somebody asked, counted in this process."""

    def __init__(self) -> None:
        self.addresses = Tries(PER_ADDRESS, HOUR)
        self.people = Tries(PER_PERSON, HOUR)


@blueprint.record_once
def _begin_counting(state: BlueprintSetupState) -> None:
    state.app.extensions[EXTENSION] = Asked()


@blueprint.get("/forgotten-password")
@permission(PUBLIC)
def ask_form() -> ResponseReturnValue:
    return render_template("passwords/ask.html", form=AskForm())


@blueprint.post("/forgotten-password")
@permission(PUBLIC)
def ask() -> ResponseReturnValue:
    """Whoever asks gets the same answer, whether they have an account or not."""
    form = AskForm()
    # As accounts are kept; nobody thinks of the case of an e-mail address.
    email = (form.email.data or "").strip().lower()
    if not form.validate_on_submit():
        return render_template("passwords/ask.html", form=form), 400
    if "@" not in email or "\0" in email or len(email) > LONGEST_EMAIL:
        form.email.errors = [NO_EMAIL]
        return render_template("passwords/ask.html", form=form), 400
    asked: Asked = current_app.extensions[EXTENSION]
    wait = asked.addresses.begin(origin(request.remote_addr or ""))
    if wait:
        raise TooManyRequests(retry_after=math.ceil(wait))
    # Of more, whoever has the account is not sent an e-mail; whoever asks does not learn that.
    if not asked.people.begin(email):
        service.ask(current_work(), email)
    return redirect(url_for("passwords.asked"), 303)


@blueprint.get("/forgotten-password/sent")
@permission(PUBLIC)
def asked() -> ResponseReturnValue:
    return render_template("passwords/asked.html")


@blueprint.get(service.PATH)
@permission(PUBLIC)
def choose_form() -> ResponseReturnValue:
    """Choose a new password, with the key of the link in the e-mail."""
    key = request.args.get("key", "")
    if service.find(current_work().session, key) is None:
        return _too_old()
    form = ChooseForm(formdata=None)
    form.key.data = key
    return render_template("passwords/choose.html", form=form)


@blueprint.post(service.PATH)
@permission(PUBLIC)
def choose() -> ResponseReturnValue:
    form, work = ChooseForm(), current_work()
    key = form.key.data or ""
    if service.find(work.session, key) is None:
        return _too_old()
    if not form.validate_on_submit():
        return render_template("passwords/choose.html", form=form), 400
    work.pause()
    try:
        password_hash = people.new_password_hash(form.password.data or "")
    except InvalidInputError as error:
        form.show(error)
        return render_template("passwords/choose.html", form=form), 400
    user = service.find(work.session, key)
    if user is None:  # somebody was faster
        return _too_old()
    people.set_password(work, user, password_hash)
    flash(_("Your password has been changed. Sign in with your new password."), "success")
    return redirect(url_for("security.login"), 303)


def _too_old() -> ResponseReturnValue:
    return render_template("passwords/too_old.html"), 410
