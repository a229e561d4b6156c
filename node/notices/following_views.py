"""What somebody follows, and the buttons by which they do."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from markupsafe import Markup

from node.councils.models import Council
from node.errors import InvalidInputError, NotFoundError
from node.federating.views.asking import current_reader
from node.news import service as news
from node.notices import following
from node.notices.blueprint import READ, blueprint
from node.notices.forms import FollowForm
from node.people.permissions import may
from node.projects import service as projects
from node.projects.models import Project
from node.request import current_work, permission
from node.wording import say


def follow_button(project: Project | None = None, council: Council | None = None) -> Markup:
    """The button for following a project or a council, or for no longer doing so; nothing for
    visitors.
    """
    if not may(READ):
        return Markup()
    watch = news.find(
        current_work().session,
        current_user.id,
        project_id=project.id if project else None,
        council_id=council.id if council else None,
    )
    return Markup(  # noqa: S704 -- our own template
        render_template("notices/_follow.html", project=project, council=council, watch=watch)
    )


@blueprint.get("/following")
@permission(READ)
def followed() -> ResponseReturnValue:
    """All that somebody follows."""
    return _followed_page(FollowForm())


@blueprint.post("/following/tags")
@permission(READ)
def follow_tag() -> ResponseReturnValue:
    """Follow all projects with a tag."""
    form = FollowForm()
    if not form.validate_on_submit():
        return _followed_page(form), 400
    try:
        tag = news.follow_tag(current_work(), current_user.id, form.tag.data or "")
    except InvalidInputError as error:
        form.show(error)
        return _followed_page(form), 400
    flash(_("You are now following the tag %(tag)s.", tag=tag), "success")
    return redirect(url_for("notices.followed"), 303)


@blueprint.post("/following/projects/<token>")
@permission(READ)
def follow_project(token: str) -> ResponseReturnValue:
    work = current_work()
    project = projects.by_token(work.session, token, current_reader(), drafts=True)
    news.follow_project(work, current_user.id, project.id)
    flash(
        _("You are now following this project. News about it will appear in your notifications."),
        "success",
    )
    return redirect(url_for("projects.show", token=token), 303)


@blueprint.post("/following/councils/<int:council_id>")
@permission(READ)
def follow_council(council_id: int) -> ResponseReturnValue:
    work = current_work()
    council = work.session.get(Council, council_id)
    if council is None:
        raise NotFoundError(say("There is no such council here."))
    news.follow_council(work, current_user.id, council.id)
    flash(
        _("You are now following this council. News about it will appear in your notifications."),
        "success",
    )
    return redirect(url_for("pages.known_council", council_id=council_id), 303)


@blueprint.post("/following/<int:watch_id>/end")
@permission(READ)
def unfollow(watch_id: int) -> ResponseReturnValue:
    news.unfollow(current_work(), current_user.id, watch_id)
    flash(_("Removed from the things you follow."), "success")
    return redirect(url_for("notices.followed"), 303)


def _followed_page(form: FollowForm) -> str:
    found = following.followed(current_work().session, current_user.id, current_reader())
    return render_template("notices/following.html", followed=found, form=form)
