"""The pages of searches that a person keeps."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from node.councils.models import Council
from node.errors import InvalidInputError
from node.request import current_node, current_work, permission
from node.search import saved, service
from node.search.blueprint import blueprint
from node.search.facets import Chosen, chosen, facets
from node.search.forms import SavedSearchForm
from node.search.models import SavedSearch
from node.search.wanted import Wanted, from_query, read

SEARCHES = "account.searches"


@blueprint.get("/searches")
@permission(SEARCHES)
def mine() -> ResponseReturnValue:
    """The searches that somebody keeps."""
    session = current_work().session
    councils = service.councils(session)
    rows = [(row, _said(councils, row)) for row in saved.of(session, current_user)]
    return render_template("search/searches.html", searches=rows)


@blueprint.get("/searches/new")
@permission(SEARCHES)
def keep_form() -> ResponseReturnValue:
    """Give a search a name, to keep it."""
    wanted, _error = read(request.args.items(multi=True))
    form = SavedSearchForm()
    form.name.data, form.alerts.data = wanted.q, True
    return _form_page(form, wanted)


@blueprint.post("/searches/new")
@permission(SEARCHES)
def keep() -> ResponseReturnValue:
    wanted, _error = read(request.args.items(multi=True))
    form, work = SavedSearchForm(), current_work()
    if not form.validate_on_submit():
        return _form_page(form, wanted), 400
    try:
        saved.save(work, current_user, form.name.data or "", wanted, alerts=bool(form.alerts.data))
    except InvalidInputError as error:
        form.show(error)
        return _form_page(form, wanted), 400
    flash(_("The search has been saved."), "success")
    return redirect(url_for("search.mine"), 303)


def _form_page(form: SavedSearchForm, wanted: Wanted) -> str:
    every = facets(service.councils(current_work().session), current_node().hooks.facets)
    back = f"{url_for('projects.index')}?{wanted.query}"
    return render_template(
        "search/keep.html", form=form, chosen=list(chosen(wanted, every)), back=back, saved=None
    )


@blueprint.get("/searches/<token>")
@permission(SEARCHES)
def change_form(token: str) -> ResponseReturnValue:
    row = saved.by_token(current_work().session, current_user, token)
    form = SavedSearchForm()
    form.name.data, form.alerts.data = row.name, row.alerts
    return _change_page(form, row)


@blueprint.post("/searches/<token>")
@permission(SEARCHES)
def change(token: str) -> ResponseReturnValue:
    """Another name, or other alerts."""
    form, work = SavedSearchForm(), current_work()
    row = saved.by_token(work.session, current_user, token)
    if not form.validate_on_submit():
        return _change_page(form, row), 400
    try:
        saved.change(work, row, form.name.data or "", alerts=bool(form.alerts.data))
    except InvalidInputError as error:
        form.show(error)
        return _change_page(form, row), 400
    flash(_("Your changes have been saved."), "success")
    return redirect(url_for("search.mine"), 303)


def _change_page(form: SavedSearchForm, row: SavedSearch) -> str:
    said = _said(service.councils(current_work().session), row)
    back = url_for("search.mine")
    return render_template("search/keep.html", form=form, chosen=said, back=back, saved=row)


@blueprint.post("/searches/<token>/delete")
@permission(SEARCHES)
def delete(token: str) -> ResponseReturnValue:
    work = current_work()
    saved.delete(work, saved.by_token(work.session, current_user, token))
    flash(_("The search has been deleted."), "success")
    return redirect(url_for("search.mine"), 303)


def _said(councils: list[Council], row: SavedSearch) -> list[Chosen]:
    """What a search looks for, in words."""
    return list(chosen(from_query(row.asked), facets(councils, current_node().hooks.facets)))
