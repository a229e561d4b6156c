"""Pages for a user's notifications and notification settings."""

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from flask_wtf import FlaskForm

from node.access.permissions import NOTIFICATIONS
from node.errors import InvalidInputError
from node.notification_kinds import Topic
from node.notifications import following_views, preferences, sentences, service
from node.notifications.blueprint import blueprint
from node.notifications.forms import PreferencesForm
from node.principal import Via
from node.request import PUBLIC, current_node, current_work, page_number, parse_row_id, permission

__all__ = ["blueprint", "following_views"]

ONE_CLICK = ("List-Unsubscribe", "One-Click")


@blueprint.get("/notices")
@permission(NOTIFICATIONS)
def index() -> ResponseReturnValue:
    """The current user's notifications, the newest first."""
    work, node = current_work(), current_node()
    page, unread = service.list_page(node, work.session, current_user, page_number())
    rendered = {
        details.notification.id: sentences.render_sentence(node.notification_kinds, details)
        for details in page.rows
    }
    return render_template(
        "notifications/index.html",
        page=page,
        unread=unread,
        sentences=rendered,
        form=FlaskForm(),
    )


@blueprint.post("/notices/<int:notification_id>/read")
@permission(NOTIFICATIONS)
def read(notification_id: int) -> ResponseReturnValue:
    service.mark_read(current_work(), current_user, notification_id)
    return redirect(url_for("notifications.index", page=request.args.get("page")), 303)


@blueprint.post("/notices/read")
@permission(NOTIFICATIONS)
def read_all() -> ResponseReturnValue:
    """Mark all notifications that were on the page as read."""
    newest = request.form.get("newest", 0, type=parse_row_id)
    service.mark_all_read(current_work(), current_user, newest)
    flash(_("All notifications have been marked as read."), "success")
    return redirect(url_for("notifications.index"), 303)


@blueprint.get("/notices/choices")
@permission(NOTIFICATIONS)
def choices_form() -> ResponseReturnValue:
    session = current_work().session
    form, frequencies = PreferencesForm(), preferences.get_preferences(session, current_user.id)
    for topic, frequency in frequencies.items():
        form[topic.value].data = frequency.value
    form.language.data = preferences.get_mail_language(
        session, current_user.id, current_node().settings.language
    )
    return render_template("notifications/choices.html", form=form)


@blueprint.post("/notices/choices")
@permission(NOTIFICATIONS)
def choose() -> ResponseReturnValue:
    form, work = PreferencesForm(), current_work()
    if not form.validate_on_submit():
        return render_template("notifications/choices.html", form=form), 400
    chosen = {topic.value: form[topic.value].data or "" for topic in Topic}
    try:
        preferences.save_preferences(work, current_user.id, chosen, form.language.data or "")
    except InvalidInputError as error:
        form.add_errors(error)
        return render_template("notifications/choices.html", form=form), 400
    flash(_("Your notification settings have been saved."), "success")
    return redirect(url_for("notifications.index"), 303)


@blueprint.get("/unsubscribe/<token>/<any(once, daily, weekly):way>")
@permission(PUBLIC)
def confirm_unsubscribe(token: str, way: str) -> ResponseReturnValue:
    """Ask for confirmation, because mail scanners follow the links in emails."""
    preferences.get_subscriber(current_work().session, token)
    return render_template("notifications/unsubscribe.html", form=FlaskForm(), way=way, done=False)


@blueprint.post("/unsubscribe/<token>/<any(once, daily, weekly):way>")
@permission(PUBLIC)
def unsubscribe(token: str, way: str) -> ResponseReturnValue:
    """Stop the emails: by the button, or by a mail program's one-click request (RFC 8058), which
    has no CSRF token and needs none.
    """
    if request.form.get(ONE_CLICK[0]) != ONE_CLICK[1]:
        current_app.extensions["csrf"].protect()
    work = current_work()
    frequencies = (
        preferences.EMAIL_FREQUENCIES
        if request.form.get("then") == "all"
        else {preferences.MailFrequency(way)}
    )
    subscriber = preferences.get_subscriber(work.session, token)
    work.by = subscriber.user.to_principal(Via.signed_link)
    preferences.unsubscribe(work, subscriber, frequencies)
    return render_template("notifications/unsubscribe.html", way=way, done=True)
