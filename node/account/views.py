"""The pages on which people look after their own accounts."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from node.account.forms import PasswordForm
from node.account.letters import device_name
from node.db import only_reading
from node.errors import ConflictError, InvalidInputError
from node.people import service as people
from node.people import session_cookies, sessions
from node.people.forms import verify_again
from node.people.models import User
from node.people.user_agents import Device
from node.request import current_work, permission
from node.wording import say

blueprint = Blueprint("account", __name__, template_folder="templates")

SECURITY = "account.security"


@blueprint.get("/account/password")
@permission(SECURITY)
def password_form() -> ResponseReturnValue:
    return render_template("account/password.html", form=PasswordForm())


@blueprint.post("/account/password")
@permission(SECURITY)
def change_password() -> ResponseReturnValue:
    """Change one's own password, with the current one. This session goes on, all else ends."""
    form, work = PasswordForm(), current_work()
    user: User = current_user._get_current_object()
    if not form.validate_on_submit():
        return render_template("account/password.html", form=form), 400
    work.pause()  # nobody waits while passwords are hashed
    try:
        with only_reading():
            before = user.password
            password_hash = _new_hash(form, user)
    except InvalidInputError as error:
        form.show(error)
        return render_template("account/password.html", form=form), 400
    work.pause()
    work.session.refresh(user, with_for_update={"of": User})
    if user.password != before:
        raise ConflictError(say("Your password was changed in the meantime. Sign in again."))
    people.set_password(work, user, password_hash, session_cookies.current_id())
    session_cookies.renew(work)
    flash(_("Your password has been changed."), "success")
    return redirect(url_for("officers.profile"), 303)


def _new_hash(form: PasswordForm, user: User) -> str:
    """The hash of the new password. Raises `InvalidInputError`, also for a current password that is
    not the user's.
    """
    if not verify_again(user.email, form.current.data or "", user.password or ""):
        wrong = {"current": say("Your current password is not correct")}
        raise InvalidInputError(say("The password could not be changed."), wrong)
    return people.new_password_hash(form.password.data or "")


@blueprint.get("/account/sessions")
@permission(SECURITY)
def list_sessions() -> ResponseReturnValue:
    """Where somebody is signed in."""
    work = current_work()
    found = sessions.of_user(work.session, work.settings, current_user)
    return render_template(
        "account/sessions.html",
        sessions=found,
        names={each.id: device_name(Device(each.browser, each.system)) for each in found},
        current_id=session_cookies.current_id(),
    )


@blueprint.post("/account/sessions/<int:session_id>/end")
@permission(SECURITY)
def end_session(session_id: int) -> ResponseReturnValue:
    """Sign out on one device."""
    sessions.end(current_work(), current_user, session_id)
    if session_id == session_cookies.current_id():
        return redirect(url_for("security.login"), 303)
    flash(_("You have been signed out on that device."), "success")
    return redirect(url_for("account.list_sessions"), 303)


@blueprint.post("/account/sessions/end-all")
@permission(SECURITY)
def end_all_sessions() -> ResponseReturnValue:
    """Sign out on every device, this one included."""
    work = current_work()
    sessions.end_all(work, current_user)
    work.audit("session.end-all", current_user.email)
    flash(_("You have been signed out everywhere."), "success")
    return redirect(url_for("security.login"), 303)
