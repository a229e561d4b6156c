"""Operator pages about server lists: suggestions, subscriptions, import and export."""

from contextlib import closing

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf.file import FileField
from wtforms import BooleanField, StringField

from node.access.permissions import OPERATE
from node.errors import InvalidInputError, MoothallError
from node.federating.models import PeerList
from node.federating.peers import peer_list_subscriptions, peer_lists, peer_suggestions
from node.federating.peers import service as peers
from node.forms import BaseForm
from node.languages import translate
from node.operating.blueprint import blueprint
from node.request import current_node, current_principal, current_work, permission, read_only

FORMATS: dict[str, peer_lists.PeerListFormat] = {"plain": "plain", "mastodon": "mastodon"}


class ImportServersForm(BaseForm):
    file = FileField(
        _l("Server list"),
        description=_l(
            "A CSV file with host,state,comment as its first line, or a list exported from Mastodon"
        ),
    )


class SubscribeListForm(BaseForm):
    url = StringField(
        _l("List address"), description=_l("For example, https://moothall.example.gov.uk/peers.csv")
    )
    may_allow = BooleanField(
        _l("Allow the servers that the list allows, instead of only suggesting them")
    )


@blueprint.get("/lists")
@permission(OPERATE)
def server_lists() -> ResponseReturnValue:
    return _render_lists()


@blueprint.get("/lists/<any(plain, mastodon):list_format>.csv")
@permission(OPERATE)
def export_list(list_format: str) -> ResponseReturnValue:
    """This node's allowed and blocked servers, as a CSV file."""
    entries = peer_lists.list_decided(current_work().session)
    response = Response(
        peer_lists.dump_csv(entries, FORMATS[list_format]), content_type="text/csv; charset=utf-8"
    )
    name = current_node().settings.authority.replace(":", "-")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{list_format}.csv"'
    return response


@blueprint.post("/lists/import")
@permission(OPERATE)
@read_only
def import_list() -> ResponseReturnValue:
    """Take over the decisions in a file: all of them, or none if a line is invalid."""
    form = ImportServersForm()
    if not form.validate_on_submit():
        return _render_lists(import_form=form), 400
    if not form.file.data:
        form.file.errors = [_("Select a file")]
        return _render_lists(import_form=form), 400
    with closing(form.file.data) as upload:
        body = upload.read(peer_lists.MAX_BYTES + 1)
    try:
        entries = peer_lists.require_valid(peer_lists.parse_list(body))
        result = peer_lists.import_entries(current_node(), current_principal(), entries)
    except InvalidInputError as error:
        form.file.errors = [
            text if field == "file" else f"{field}: {text}" for field, text in error.fields.items()
        ]
        return _render_lists(import_form=form), 400
    flash(
        ngettext(
            "%(num)s server has been imported.",
            "%(num)s servers have been imported.",
            result.new_count,
        ),
        "success",
    )
    if result.overridden_hosts:
        hosts = ", ".join(result.overridden_hosts[:10])
        flash(
            _("Your earlier decisions still apply to these servers: %(hosts)s", hosts=hosts),
            "notice",
        )
    return redirect(url_for("operating.server_lists"), 303)


@blueprint.post("/lists/subscribe")
@permission(OPERATE)
def subscribe() -> ResponseReturnValue:
    form, work = SubscribeListForm(), current_work()
    if not form.validate_on_submit():
        return _render_lists(subscribe_form=form), 400
    try:
        peer_list_subscriptions.subscribe(
            work, form.url.data or "", may_allow=bool(form.may_allow.data)
        )
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_lists(subscribe_form=form), 400
    flash(_("You have subscribed to the list. We will read it now, and then every day."), "success")
    return redirect(url_for("operating.server_lists"), 303)


@blueprint.post("/lists/<int:list_id>/unsubscribe")
@permission(OPERATE)
@read_only
def unsubscribe(list_id: int) -> ResponseReturnValue:
    node = current_node()
    with node.reading() as session:
        row = session.get(PeerList, list_id)
        url = row.url if row else ""
    peer_list_subscriptions.unsubscribe(node, current_principal(), url)
    flash(_("You have unsubscribed from the list. Its decisions no longer apply."), "success")
    return redirect(url_for("operating.server_lists"), 303)


@blueprint.post("/lists/suggestions")
@permission(OPERATE)
def decide_suggestion() -> ResponseReturnValue:
    """Allow or dismiss a suggested server: `verb` is the button that was pressed."""
    work, host = current_work(), request.form.get("host", "")
    if request.form.get("verb") == "allow":
        peers.decide(work, host, peers.ALLOWED)
        flash(_("%(host)s has been allowed.", host=host), "success")
    else:
        peer_suggestions.dismiss(work, peers.normalise_host(host))
        flash(_("%(host)s is no longer suggested.", host=host), "success")
    return redirect(url_for("operating.server_lists"), 303)


@blueprint.post("/peers/undecide")
@permission(OPERATE)
def undecide() -> ResponseReturnValue:
    """Reset the decision about a server, which is then neither allowed nor blocked."""
    try:
        peer = peers.reset_decision(current_work(), request.form.get("host", ""))
    except MoothallError as error:
        flash(translate(error.safe_text), "error")
    else:
        flash(_("%(host)s is now neither allowed nor blocked.", host=peer.host), "success")
    return redirect(url_for("operating.all_peers"), 303)


def _render_lists(
    import_form: ImportServersForm | None = None, subscribe_form: SubscribeListForm | None = None
) -> str:
    session, submitted_form = current_work().session, import_form or subscribe_form
    return render_template(
        "operating/server_lists.html",
        **({"form": submitted_form} if submitted_form else {}),
        import_form=import_form or ImportServersForm(formdata=None),
        subscribe_form=subscribe_form or SubscribeListForm(formdata=None),
        suggestions=peer_suggestions.list_suggestions(session),
        lists=peer_list_subscriptions.list_all(session),
    )
