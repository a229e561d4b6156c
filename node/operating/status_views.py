"""Operator pages about the node's state: overview, received messages, sync, sharing record and
troubleshooting.
"""

import json
from datetime import datetime
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import StringField

from node.access.permissions import COORDINATE, OPERATE
from node.errors import InvalidInputError, NotFoundError
from node.federating.inbound import inbox_processor
from node.federating.models import InboxItem
from node.feeds.csv_export import to_csv
from node.forms import BaseForm
from node.languages import translate
from node.messages import msg
from node.operating import disclosure_register
from node.operating.blueprint import blueprint, requested_page
from node.operating.delivery_reasons import list_outcomes, outcome_at_host
from node.operating.explanations import explain, next_step
from node.operating.inspected_objects import find_object, parse_host
from node.operating.inspection import inspect_object
from node.operating.missing_reasons import explain_missing
from node.operating.overview import build_overview, list_sync_statuses
from node.request import current_node, current_work, parse_row_id, permission
from node.settings import Settings


@blueprint.get("")
@permission(OPERATE)
def home() -> ResponseReturnValue:
    """The state of the node and the problems that need attention."""
    session = current_work().session
    return render_template(
        "operating/home.html",
        overview=build_overview(session),
        sync_statuses=list_sync_statuses(session),
    )


class InspectForm(BaseForm):
    """The object and the server in question, from the query string."""

    id = StringField(
        _l("Address of a project, update, comment, document, message, council or person")
    )
    host = StringField(_l("Server (optional)"))


@blueprint.get("/inspect")
@permission(OPERATE)
def inspection() -> ResponseReturnValue:
    """Which servers have a copy of the object `id`, and why; with `host`, about that one server."""
    work, settings = current_work(), current_node().settings
    form = InspectForm(request.args, meta={"csrf": False})
    named, host = (form.id.data or "").strip(), (form.host.data or "").strip()
    context: dict[str, Any] = {"subject": None, "missing": None}
    status = 200
    try:
        if named:
            context |= _load_inspection(work.session, settings, named, host)
    except NotFoundError:
        status, context["missing"] = 404, explain_missing(work.session, settings, named)
        no_record = msg(
            "This server has no record of this address. Check the address, or copy "
            "it from the item’s page."
        )
        form.add_errors(InvalidInputError(no_record, {"id": no_record}))
    except InvalidInputError as error:
        status = 400
        form.add_errors(error)
    page = render_template(
        "operating/inspect.html",
        form=form,
        explain=lambda outcome: translate(explain(outcome)),
        next_step=lambda outcome: translate(next_step(outcome)),
        parse_time=datetime.fromisoformat,
        **context,
    )
    return page, status


def _load_inspection(session: Session, settings: Settings, named: str, host: str) -> dict[str, Any]:
    subject = find_object(session, settings, named)
    host = parse_host(host) if host else ""
    details = inspect_object(session, settings, subject.uri)
    return {
        "subject": subject,
        "outcomes": list_outcomes(session, settings, subject),
        "host_outcome": outcome_at_host(session, settings, subject, host) if host else None,
        "details": details,
        "as_json": json.dumps(details, indent=2, ensure_ascii=False),
    }


@blueprint.get("/shared")
@permission(COORDINATE)
def shared() -> ResponseReturnValue:
    """The sharing record, for coordinators too, who answer questions about it."""
    search_text, number = _search_text(), request.args.get("page", 1, type=parse_row_id)
    page = disclosure_register.list_page(current_work().session, search_text, number)
    return render_template("operating/shared.html", page=page, search_text=search_text)


@blueprint.get("/shared.csv")
@permission(COORDINATE)
def shared_table() -> ResponseReturnValue:
    """The sharing record as a CSV file."""
    rows = disclosure_register.to_rows(
        disclosure_register.iter_all(current_work().session, _search_text())
    )
    response = Response(
        to_csv(disclosure_register.TABLE_COLUMNS, rows), content_type="text/csv; charset=utf-8"
    )
    response.headers["Content-Disposition"] = "attachment; filename=shared.csv"
    return response


def _search_text() -> str:
    return request.args.get("q", "").replace("\0", "").strip()[:200]


@blueprint.get("/received")
@permission(OPERATE)
def received() -> ResponseReturnValue:
    """Accepted messages from other servers with their outcome, newest first."""
    state = request.args.get("state", "")
    query = select(InboxItem)
    if state in InboxItem.STATES:
        query = query.where(InboxItem.state == state)
    page = requested_page(query, InboxItem.id)
    return render_template("operating/received.html", page=page, state=state, form=FlaskForm())


@blueprint.post("/received/<int:item_id>/retry")
@permission(OPERATE)
def retry_received(item_id: int) -> ResponseReturnValue:
    """Process a failed message again."""
    work = current_work()
    item = work.session.get(InboxItem, item_id)
    if item is None:
        raise NotFoundError(msg("Message not found."))
    inbox_processor.retry(work, item)
    flash(_("The message from %(host)s will be processed again.", host=item.host), "success")
    return redirect(url_for("operating.received"), 303)


@blueprint.get("/reading")
@permission(OPERATE)
def reading() -> ResponseReturnValue:
    """The sync of the councils that we follow."""
    return render_template(
        "operating/reading.html",
        sync_statuses=list_sync_statuses(current_work().session),
        form=FlaskForm(),
    )
