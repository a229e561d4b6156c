"""Pages to list, follow and unfollow councils, and to set the location of our own."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node.access.permissions import FOLLOW, OPERATE, has_permission
from node.councils import council_moves, own_location, service
from node.councils.forms import FollowForm, LocationForm
from node.councils.models import Council
from node.errors import InvalidInputError, NotFoundError
from node.federating.models import Actor, Follow
from node.federating.peers import fetching
from node.federating.sync import following
from node.messages import msg
from node.request import PUBLIC, current_node, current_work, permission

blueprint = Blueprint("councils", __name__, template_folder="templates")


def successor_of(council: Council) -> Actor | None:
    """The actor that a council moved to, for templates."""
    return council_moves.successor_of(current_work().session, council)


@blueprint.get("/councils")
@permission(PUBLIC)
def index() -> ResponseReturnValue:
    follows = service.list_followed(current_work().session)
    own_host = current_node().settings.authority
    return render_template("councils/index.html", follows=follows, own_host=own_host)


@blueprint.get("/councils/follow")
@permission(FOLLOW)
def follow_form() -> ResponseReturnValue:
    return render_template("councils/follow.html", form=FollowForm())


@blueprint.post("/councils/follow")
@permission(FOLLOW)
def follow() -> ResponseReturnValue:
    """Look up the address, and request to follow the council there."""
    form, work = FollowForm(), current_work()
    if not form.validate_on_submit():
        return render_template("councils/follow.html", form=form), 400
    is_operator = has_permission(OPERATE)
    work.pause()
    try:
        actor = fetching.fetch_actor_by_address(
            current_node(), form.address.data or "", approved_by_operator=is_operator
        )
        row = service.follow(work, actor, approved_by_operator=is_operator)
    except InvalidInputError as error:
        form.add_errors(error)
        return render_template("councils/follow.html", form=form), 400
    flash(_("Your council has asked to follow %(name)s.", name=row.followed.name), "success")
    return redirect(url_for("councils.index"), 303)


@blueprint.post("/councils/follows/<int:follow_id>/end")
@permission(FOLLOW)
def end_follow(follow_id: int) -> ResponseReturnValue:
    work = current_work()
    row = work.session.get(Follow, follow_id)
    if row is None:
        raise NotFoundError(msg("Your council does not follow that council."))
    name = row.followed.name
    following.unfollow(work, row)
    flash(_("Your council no longer follows %(name)s.", name=name), "success")
    return redirect(url_for("councils.index"), 303)


@blueprint.get("/councils/place")
@permission(OPERATE)
def place_form() -> ResponseReturnValue:
    """The form for the location of our council."""
    council, form = service.require_own(current_work().session), LocationForm()
    form.fill(own_location.to_input(council))
    return render_template("councils/place.html", form=form, council=council)


@blueprint.post("/councils/place")
@permission(OPERATE)
def place() -> ResponseReturnValue:
    form, work = LocationForm(), current_work()
    council = service.require_own(work.session)
    try:
        if not form.validate_on_submit():
            return render_template("councils/place.html", form=form, council=council), 400
        own_location.set_location(work, form.to_input())
    except InvalidInputError as error:
        form.add_errors(error)
        return render_template("councils/place.html", form=form, council=council), 400
    flash(
        _("The location has been saved. We are sending it to the councils that follow yours."),
        "success",
    )
    return redirect(url_for("pages.own_council", slug=council.slug), 303)
