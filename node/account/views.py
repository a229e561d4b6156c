"""Pages on which users manage their own accounts."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from node.access.permissions import SECURITY
from node.account.change_emails import device_name
from node.account.forms import ChangePasswordForm
from node.database.engine import read_only
from node.errors import ConflictError, InvalidInputError
from node.messages import msg
from node.people import service as people
from node.people import session_cookies, sessions
from node.people.forms import verify_current_password
from node.people.models import User
from node.people.user_agents import Device
from node.request import current_work, permission

blueprint = Blueprint("account", __name__, template_folder="templates")


@blueprint.get("/account/password")
@permission(SECURITY)
def password_form() -> ResponseReturnValue:
    return render_template("account/password.html", form=ChangePasswordForm())


@blueprint.post("/account/password")
@permission(SECURITY)
def change_password() -> ResponseReturnValue:
    """Change the current user's password. All credentials but this session are revoked."""
    form, work = ChangePasswordForm(), current_work()
    user: User = current_user._get_current_object()
    if not form.validate_on_submit():
        return render_template("account/password.html", form=form), 400
    work.pause()  # hashing takes long, so no transaction stays open
    try:
        with read_only():
            old_hash = user.password
            password_hash = _verify_and_hash(form, user)
    except InvalidInputError as error:
        form.add_errors(error)
        return render_template("account/password.html", form=form), 400
    work.pause()
    work.session.refresh(user, with_for_update={"of": User})
    if user.password != old_hash:
        raise ConflictError(
            msg("Your password was changed while you were on this page. Sign in again.")
        )
    people.set_password(work, user, password_hash, session_cookies.current_session_id())
    session_cookies.renew_session(work)
    flash(_("Your password has been changed."), "success")
    return redirect(url_for("officers.profile"), 303)


def _verify_and_hash(form: ChangePasswordForm, user: User) -> str:
    """The hash of the new password. Raises `InvalidInputError` if that or the current password is
    wrong.
    """
    if not verify_current_password(user.email, form.current.data or "", user.password or ""):
        errors = {"current": msg("Your current password is not correct")}
        raise InvalidInputError(msg("The password could not be changed."), errors)
    return people.hash_new_password(form.password.data or "")


@blueprint.get("/account/sessions")
@permission(SECURITY)
def list_sessions() -> ResponseReturnValue:
    """The current user's open sessions."""
    work = current_work()
    rows = sessions.list_of_user(work.session, work.settings, current_user)
    return render_template(
        "account/sessions.html",
        sessions=rows,
        names={row.id: device_name(Device(row.browser, row.system)) for row in rows},
        current_id=session_cookies.current_session_id(),
    )


@blueprint.post("/account/sessions/<int:session_id>/end")
@permission(SECURITY)
def end_session(session_id: int) -> ResponseReturnValue:
    """Sign out on one device."""
    sessions.end(current_work(), current_user, session_id)
    if session_id == session_cookies.current_session_id():
        return redirect(url_for("security.login"), 303)
    flash(_("The device has been signed out."), "success")
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
