"""Lists of servers: what others suggest, what this node subscribes to, import and export."""

from contextlib import closing

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_security import current_user
from flask_wtf.file import FileField
from wtforms import BooleanField, StringField

from node.errors import InvalidInputError, MoothallError
from node.federating import peer_lists, peers, subscriptions, suggesting
from node.federating.models import PeerList
from node.forms import HouseForm
from node.languages import said
from node.operating.blueprint import OPERATE, blueprint
from node.request import current_node, current_work, only_reads, permission

FORMATS: dict[str, peer_lists.Format] = {"plain": "plain", "mastodon": "mastodon"}


class ImportForm(HouseForm):
    file = FileField(
        _l("Server list"),
        description=_l(
            "A CSV file with host,state,comment as its first line, or a list exported from Mastodon"
        ),
    )


class SubscribeForm(HouseForm):
    url = StringField(
        _l("List address"), description=_l("For example, https://moothall.example.gov.uk/peers.csv")
    )
    may_allow = BooleanField(
        _l("Allow the servers that the list allows, instead of only suggesting them")
    )


@blueprint.get("/lists")
@permission(OPERATE)
def server_lists() -> ResponseReturnValue:
    return _page()


@blueprint.get("/lists/<any(plain, mastodon):wanted>.csv")
@permission(OPERATE)
def export_list(wanted: str) -> ResponseReturnValue:
    """What this node decided of servers, as a file."""
    entries = peer_lists.decided(current_work().session)
    answer = Response(
        peer_lists.write(entries, FORMATS[wanted]), content_type="text/csv; charset=utf-8"
    )
    name = current_node().settings.authority.replace(":", "-")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{wanted}.csv"'
    return answer


@blueprint.post("/lists/import")
@permission(OPERATE)
@only_reads
def import_list() -> ResponseReturnValue:
    """Make a file the operator's word: all of it, or nothing where a line is wrong."""
    form = ImportForm()
    if not form.validate_on_submit():
        return _page(import_form=form), 400
    if not form.file.data:
        form.file.errors = [_("Select a file")]
        return _page(import_form=form), 400
    with closing(form.file.data) as given:
        body = given.read(peer_lists.MOST_BYTES + 1)
    try:
        entries = peer_lists.check(peer_lists.read(body))
        taken = peer_lists.take_in(current_node(), current_user.email, entries)
    except InvalidInputError as error:
        form.file.errors = [
            words if where == "file" else f"{where}: {words}"
            for where, words in error.fields.items()
        ]
        return _page(import_form=form), 400
    flash(ngettext("%(num)s server imported.", "%(num)s servers imported.", taken.new), "success")
    if taken.kept:
        hosts = ", ".join(taken.kept[:10])
        flash(
            _("Your earlier decisions still apply to these servers: %(hosts)s", hosts=hosts),
            "notice",
        )
    return redirect(url_for("operating.server_lists"), 303)


@blueprint.post("/lists/subscribe")
@permission(OPERATE)
def subscribe() -> ResponseReturnValue:
    form, work = SubscribeForm(), current_work()
    if not form.validate_on_submit():
        return _page(subscribe_form=form), 400
    try:
        subscriptions.subscribe(work, form.url.data or "", may_allow=bool(form.may_allow.data))
    except InvalidInputError as error:
        form.show(error)
        return _page(subscribe_form=form), 400
    flash(_("You have subscribed to the list. We read it now, and then every day."), "success")
    return redirect(url_for("operating.server_lists"), 303)


@blueprint.post("/lists/<int:list_id>/unsubscribe")
@permission(OPERATE)
@only_reads
def unsubscribe(list_id: int) -> ResponseReturnValue:
    node = current_node()
    with node.reading() as session:
        row = session.get(PeerList, list_id)
        url = row.url if row else ""
    subscriptions.unsubscribe(node, current_user.email, url)
    flash(_("You have unsubscribed from the list. Its decisions no longer apply."), "success")
    return redirect(url_for("operating.server_lists"), 303)


@blueprint.post("/lists/suggestions")
@permission(OPERATE)
def decide_suggestion() -> ResponseReturnValue:
    """Allow a suggested server, or suggest it no more: `verb` is the button that was pressed."""
    work, host = current_work(), request.form.get("host", "")
    if request.form.get("verb") == "allow":
        peers.decide(work, host, peers.ALLOWED)
        flash(_("%(host)s is allowed.", host=host), "success")
    else:
        suggesting.dismiss(work, peers.normal(host))
        flash(_("%(host)s is no longer suggested.", host=host), "success")
    return redirect(url_for("operating.server_lists"), 303)


@blueprint.post("/peers/undecide")
@permission(OPERATE)
def undecide() -> ResponseReturnValue:
    """Neither allow nor block a server any more."""
    try:
        peer = peers.undecide(current_work(), request.form.get("host", ""))
    except MoothallError as error:
        flash(said(error.safe_text), "error")
    else:
        flash(_("%(host)s is no longer allowed or blocked.", host=peer.host), "success")
    return redirect(url_for("operating.all_peers"), 303)


def _page(
    import_form: ImportForm | None = None, subscribe_form: SubscribeForm | None = None
) -> str:
    session, sent = current_work().session, import_form or subscribe_form
    return render_template(
        "operating/server_lists.html",
        **({"form": sent} if sent else {}),
        import_form=import_form or ImportForm(formdata=None),
        subscribe_form=subscribe_form or SubscribeForm(formdata=None),
        suggestions=suggesting.suggestions(session),
        lists=subscriptions.all_lists(session),
    )
