"""The page of what a user follows, and the buttons to follow and unfollow."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from markupsafe import Markup

from node.access.permissions import NOTIFICATIONS, has_permission
from node.councils.models import Council
from node.errors import InvalidInputError, NotFoundError
from node.federating.views.current_viewer import current_viewer
from node.messages import msg
from node.notification_events import service as events
from node.notifications import followed_items
from node.notifications.blueprint import blueprint
from node.notifications.forms import FollowTagForm
from node.projects import service as projects
from node.projects.models import Project
from node.request import current_work, permission


def follow_project_button(project: Project) -> Markup:
    """The button to follow or unfollow a project; empty for visitors."""
    return _follow_button(project=project)


def follow_council_button(council: Council) -> Markup:
    """The button to follow or unfollow a council; empty for visitors."""
    return _follow_button(council=council)


def _follow_button(project: Project | None = None, council: Council | None = None) -> Markup:
    if not has_permission(NOTIFICATIONS):
        return Markup()
    watch = events.find_watch(
        current_work().session,
        current_user.id,
        project_id=project.id if project else None,
        council_id=council.id if council else None,
    )
    return Markup(  # noqa: S704 -- our own template
        render_template("notifications/_follow.html", project=project, council=council, watch=watch)
    )


@blueprint.get("/following")
@permission(NOTIFICATIONS)
def followed() -> ResponseReturnValue:
    """What the current user follows."""
    return _render_followed(FollowTagForm())


@blueprint.post("/following/tags")
@permission(NOTIFICATIONS)
def follow_tag() -> ResponseReturnValue:
    """Follow all projects with a tag."""
    form = FollowTagForm()
    if not form.validate_on_submit():
        return _render_followed(form), 400
    try:
        tag = events.follow_tag(current_work(), current_user.id, form.tag.data or "")
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_followed(form), 400
    flash(_("You are now following the %(tag)s tag.", tag=tag), "success")
    return redirect(url_for("notifications.followed"), 303)


@blueprint.post("/following/projects/<token>")
@permission(NOTIFICATIONS)
def follow_project(token: str) -> ResponseReturnValue:
    work = current_work()
    project = projects.by_token(work.session, token, current_viewer(), include_drafts=True)
    events.follow_project(work, current_user.id, project.id)
    flash(
        _("You are now following this project. You will get notifications about it."),
        "success",
    )
    return redirect(url_for("projects.show", token=token), 303)


@blueprint.post("/following/councils/<int:council_id>")
@permission(NOTIFICATIONS)
def follow_council(council_id: int) -> ResponseReturnValue:
    work = current_work()
    council = work.session.get(Council, council_id)
    if council is None:
        raise NotFoundError(msg("Council not found."))
    events.follow_council(work, current_user.id, council.id)
    flash(
        _("You are now following this council. You will get notifications about it."),
        "success",
    )
    return redirect(url_for("pages.known_council", council_id=council_id), 303)


@blueprint.post("/following/<int:watch_id>/end")
@permission(NOTIFICATIONS)
def unfollow(watch_id: int) -> ResponseReturnValue:
    events.unfollow(current_work(), current_user.id, watch_id)
    flash(_("You are no longer following it."), "success")
    return redirect(url_for("notifications.followed"), 303)


def _render_followed(form: FollowTagForm) -> str:
    followed = followed_items.list_followed(
        current_work().session, current_user.id, current_viewer()
    )
    return render_template("notifications/following.html", followed=followed, form=form)
