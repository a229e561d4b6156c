"""Operator pages about deliveries, servers and refused messages."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from sqlalchemy import select
from wtforms import StringField

from node.access.permissions import OPERATE
from node.errors import InvalidInputError
from node.federating.models import Delivery, Peer, RefusalCount
from node.federating.outbound import delivery
from node.federating.peers import service as peers
from node.federating.peers.refusals import flush
from node.forms import BaseForm
from node.operating.blueprint import blueprint, requested_page
from node.request import current_node, current_work, permission


class PeerForm(BaseForm):
    host = StringField(_l("Server"), description=_l("For example, moothall.aldermoor.gov.uk"))


@blueprint.get("/deliveries")
@permission(OPERATE)
def deliveries() -> ResponseReturnValue:
    """Deliveries with their attempts, newest first."""
    state = request.args.get("state", "")
    host = request.args.get("host", "").strip().lower()
    query = select(Delivery)
    if state in Delivery.STATES:
        query = query.where(Delivery.state == state)
    if host:
        query = query.where(Delivery.host == host)
    page = requested_page(query, Delivery.id)
    return render_template(
        "operating/deliveries.html", page=page, state=state, host=host, form=FlaskForm()
    )


@blueprint.post("/deliveries/<int:delivery_id>/retry")
@permission(OPERATE)
def retry(delivery_id: int) -> ResponseReturnValue:
    row = delivery.retry(current_work(), delivery_id)
    flash(_("The delivery to %(host)s will be retried.", host=row.host), "success")
    return redirect(url_for("operating.deliveries"), 303)


@blueprint.post("/deliveries/all")
@permission(OPERATE)
def all_deliveries() -> ResponseReturnValue:
    """Retry or cancel all undelivered activities for one server: `then` is the button pressed."""
    host = request.form.get("host", "").strip().lower()
    if request.form.get("then") == "give-up":
        number = delivery.cancel_host(current_work(), host)
        confirmation = ngettext(
            "%(num)s delivery will be cancelled.", "%(num)s deliveries will be cancelled.", number
        )
    else:
        number = delivery.retry_host(current_work(), host)
        confirmation = ngettext(
            "%(num)s delivery will be retried.", "%(num)s deliveries will be retried.", number
        )
    flash(confirmation, "success")
    return redirect(url_for("operating.deliveries", host=host), 303)


@blueprint.get("/peers")
@permission(OPERATE)
def all_peers() -> ResponseReturnValue:
    return _render_peers(PeerForm())


@blueprint.post("/peers")
@permission(OPERATE)
def decide() -> ResponseReturnValue:
    """Allow or block a server: `state` is the button that was pressed."""
    form, work = PeerForm(), current_work()
    if not form.validate_on_submit():
        return _render_peers(form), 400
    try:
        peer = peers.decide(work, form.host.data or "", request.form.get("state", peers.ALLOWED))
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_peers(form), 400
    if peer.state == peers.ALLOWED:
        flash(_("%(host)s has been allowed.", host=peer.host), "success")
    else:
        flash(_("%(host)s has been blocked.", host=peer.host), "success")
    return redirect(url_for("operating.all_peers"), 303)


def _render_peers(form: PeerForm) -> str:
    rows = current_work().session.scalars(select(Peer).order_by(Peer.host)).all()
    peers_with_health = [(peer, peers.health_state(peer)) for peer in rows]
    mode = current_node().settings.federation
    return render_template("operating/peers.html", form=form, peers=peers_with_health, mode=mode)


@blueprint.get("/refusals")
@permission(OPERATE)
def refusals() -> ResponseReturnValue:
    """Messages refused at the inbox, counted by claimed sender and reason."""
    current_work().pause()
    flush(current_node())
    query = select(RefusalCount).order_by(RefusalCount.last_at.desc()).limit(200)
    rows = current_work().session.scalars(query).all()
    return render_template("operating/refusals.html", refusals=rows, form=FlaskForm())
