"""Pages for saved searches."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from node.access.permissions import SEARCHES
from node.councils.models import Council
from node.errors import InvalidInputError
from node.request import current_node, current_work, permission
from node.search import saved_searches, service
from node.search.blueprint import blueprint
from node.search.facets import SelectedFilter, build_facets, list_selected_filters
from node.search.forms import SavedSearchForm
from node.search.models import SavedSearch
from node.search.search_params import SearchParams, from_query_string, parse


@blueprint.get("/searches")
@permission(SEARCHES)
def mine() -> ResponseReturnValue:
    """The signed-in user's saved searches."""
    session = current_work().session
    councils = service.list_shown_councils(session)
    rows = [
        (row, _list_filters(councils, row))
        for row in saved_searches.list_of_user(session, current_user)
    ]
    return render_template("search/searches.html", searches=rows)


@blueprint.get("/searches/new")
@permission(SEARCHES)
def keep_form() -> ResponseReturnValue:
    """The form that names a search to save it."""
    params, _error = parse(request.args.items(multi=True))
    form = SavedSearchForm()
    form.name.data, form.alerts.data = params.q, True
    return _render_new(form, params)


@blueprint.post("/searches/new")
@permission(SEARCHES)
def keep() -> ResponseReturnValue:
    params, _error = parse(request.args.items(multi=True))
    form, work = SavedSearchForm(), current_work()
    if not form.validate_on_submit():
        return _render_new(form, params), 400
    try:
        saved_searches.save(
            work, current_user, form.name.data or "", params, alerts=bool(form.alerts.data)
        )
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_new(form, params), 400
    flash(_("The search has been saved."), "success")
    return redirect(url_for("search.mine"), 303)


def _render_new(form: SavedSearchForm, params: SearchParams) -> str:
    facets = build_facets(
        service.list_shown_councils(current_work().session), current_node().hooks.facets
    )
    back = f"{url_for('projects.index')}?{params.query_string}"
    return render_template(
        "search/keep.html",
        form=form,
        chosen=list(list_selected_filters(params, facets)),
        back=back,
        saved=None,
    )


@blueprint.get("/searches/<token>")
@permission(SEARCHES)
def change_form(token: str) -> ResponseReturnValue:
    row = saved_searches.get_by_token(current_work().session, current_user, token)
    form = SavedSearchForm()
    form.name.data, form.alerts.data = row.name, row.alerts
    return _render_change(form, row)


@blueprint.post("/searches/<token>")
@permission(SEARCHES)
def change(token: str) -> ResponseReturnValue:
    """Change the name or the notifications of a saved search."""
    form, work = SavedSearchForm(), current_work()
    row = saved_searches.get_by_token(work.session, current_user, token)
    if not form.validate_on_submit():
        return _render_change(form, row), 400
    try:
        saved_searches.change(work, row, form.name.data or "", alerts=bool(form.alerts.data))
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_change(form, row), 400
    flash(_("Your changes have been saved."), "success")
    return redirect(url_for("search.mine"), 303)


def _render_change(form: SavedSearchForm, row: SavedSearch) -> str:
    filters = _list_filters(service.list_shown_councils(current_work().session), row)
    back = url_for("search.mine")
    return render_template("search/keep.html", form=form, chosen=filters, back=back, saved=row)


@blueprint.post("/searches/<token>/delete")
@permission(SEARCHES)
def delete(token: str) -> ResponseReturnValue:
    work = current_work()
    saved_searches.delete(work, saved_searches.get_by_token(work.session, current_user, token))
    flash(_("The search has been deleted."), "success")
    return redirect(url_for("search.mine"), 303)


def _list_filters(councils: list[Council], row: SavedSearch) -> list[SelectedFilter]:
    """The filters of a saved search, with their labels."""
    return list(
        list_selected_filters(
            from_query_string(row.asked), build_facets(councils, current_node().hooks.facets)
        )
    )
