"""Somebody's notices, and how they want to hear of what."""

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from flask_wtf import FlaskForm

from node.errors import InvalidInputError
from node.news.kinds import Topic
from node.notices import choices, following_views, service, wording
from node.notices.blueprint import READ, blueprint
from node.notices.forms import ChoicesForm
from node.request import PUBLIC, current_node, current_work, permission, row_id

__all__ = ["blueprint", "following_views"]

ONE_CLICK = ("List-Unsubscribe", "One-Click")


@blueprint.get("/notices")
@permission(READ)
def index() -> ResponseReturnValue:
    """What somebody is told, the newest first."""
    work, node = current_work(), current_node()
    number = request.args.get("page", 1, type=int)
    page = service.listed(node, work.session, current_user, number)
    said = {told.notice.id: wording.sentence(node.kinds, told) for told in page.notices}
    return render_template("notices/index.html", page=page, said=said, form=FlaskForm())


@blueprint.post("/notices/<int:notice_id>/read")
@permission(READ)
def read(notice_id: int) -> ResponseReturnValue:
    service.read(current_work(), current_user, notice_id)
    return redirect(url_for("notices.index", page=request.args.get("page")), 303)


@blueprint.post("/notices/read")
@permission(READ)
def read_all() -> ResponseReturnValue:
    """All that were there when the page was made."""
    newest = request.form.get("newest", 0, type=row_id)
    service.read_all(current_work(), current_user, newest)
    flash(_("All notifications have been marked as read."), "success")
    return redirect(url_for("notices.index"), 303)


@blueprint.get("/notices/choices")
@permission(READ)
def choices_form() -> ResponseReturnValue:
    session = current_work().session
    form, chosen = ChoicesForm(), choices.of(session, current_user.id)
    for topic, way in chosen.items():
        form[topic.value].data = way.value
    form.language.data = choices.language(
        session, current_user.id, current_node().settings.language
    )
    return render_template("notices/choices.html", form=form)


@blueprint.post("/notices/choices")
@permission(READ)
def choose() -> ResponseReturnValue:
    form, work = ChoicesForm(), current_work()
    if not form.validate_on_submit():
        return render_template("notices/choices.html", form=form), 400
    chosen = {topic.value: form[topic.value].data or "" for topic in Topic}
    try:
        choices.choose(work, current_user.id, chosen, form.language.data or "")
    except InvalidInputError as error:
        form.show(error)
        return render_template("notices/choices.html", form=form), 400
    flash(_("Your notification settings have been saved."), "success")
    return redirect(url_for("notices.index"), 303)


@blueprint.get("/unsubscribe/<token>/<any(once, daily, weekly):way>")
@permission(PUBLIC)
def confirm_unsubscribe(token: str, way: str) -> ResponseReturnValue:
    """Ask whether it is meant: programs that look at e-mails follow their links."""
    choices.by_token(current_work().session, token)
    return render_template("notices/unsubscribe.html", form=FlaskForm(), way=way, done=False)


@blueprint.post("/unsubscribe/<token>/<any(once, daily, weekly):way>")
@permission(PUBLIC)
def unsubscribe(token: str, way: str) -> ResponseReturnValue:
    """End the e-mails: by the button, or by a program that reads mail (RFC 8058), which has no form
    of ours and needs none.
    """
    if request.form.get(ONE_CLICK[0]) != ONE_CLICK[1]:
        current_app.extensions["csrf"].protect()
    work = current_work()
    which = choices.MAILED if request.form.get("then") == "all" else {choices.Way(way)}
    choices.unsubscribe(work, choices.by_token(work.session, token), which)
    return render_template("notices/unsubscribe.html", way=way, done=True)
