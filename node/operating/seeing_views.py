"""What the operator looks at: how the node is doing, what came in, what is being read, what was
shared with whom, and all that is known of one thing.
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

from node.errors import InvalidInputError, NotFoundError
from node.federating import handling
from node.federating.models import InboxItem
from node.feeds.tables import as_csv
from node.forms import HouseForm
from node.languages import said
from node.operating import ledger
from node.operating.blueprint import COORDINATE, OPERATE, blueprint
from node.operating.explaining import next_step, words
from node.operating.inspecting import inspect
from node.operating.lists import portion
from node.operating.missing import missing
from node.operating.overview import overview, readings
from node.operating.reasons import stories, story
from node.operating.subjects import find, host_named
from node.request import current_node, current_work, permission, row_id
from node.settings import Settings
from node.wording import say


@blueprint.get("")
@permission(OPERATE)
def home() -> ResponseReturnValue:
    """How the node is doing, and what needs somebody."""
    session = current_work().session
    return render_template(
        "operating/home.html", overview=overview(session), readings=readings(session)
    )


class InspectForm(HouseForm):
    """What is asked about, in the address of the page."""

    id = StringField(
        _l("Address of a project, update, comment, document, message, council or person")
    )
    host = StringField(_l("Server (optional)"))


@blueprint.get("/inspect")
@permission(OPERATE)
def inspection() -> ResponseReturnValue:
    """Who has one thing, who has not, and why: `id` names it, `host` asks about one server."""
    work, settings = current_work(), current_node().settings
    form = InspectForm(request.args, meta={"csrf": False})
    named, host = (form.id.data or "").strip(), (form.host.data or "").strip()
    found: dict[str, Any] = {"subject": None, "missing": None}
    status = 200
    try:
        if named:
            found |= _found(work.session, settings, named, host)
    except NotFoundError:
        status, found["missing"] = 404, missing(work.session, settings, named)
        nothing = say(
            "This server has no record of that. Check the address, or copy it from the item’s page."
        )
        form.show(InvalidInputError(nothing, {"id": nothing}))
    except InvalidInputError as error:
        status = 400
        form.show(error)
    page = render_template(
        "operating/inspect.html",
        form=form,
        words=lambda story: said(words(story)),
        next_step=lambda story: said(next_step(story)),
        time_of=datetime.fromisoformat,
        **found,
    )
    return page, status


def _found(session: Session, settings: Settings, named: str, host: str) -> dict[str, Any]:
    subject = find(session, settings, named)
    host = host_named(host) if host else ""
    known = inspect(session, settings, subject.uri)
    return {
        "subject": subject,
        "stories": stories(session, settings, subject),
        "asked": story(session, settings, subject, host) if host else None,
        "known": known,
        "as_json": json.dumps(known, indent=2, ensure_ascii=False),
    }


@blueprint.get("/shared")
@permission(COORDINATE)
def shared() -> ResponseReturnValue:
    """What we have shared, and with whom: for coordinators too, who are asked."""
    wanted, number = _wanted(), request.args.get("page", 1, type=row_id)
    page = ledger.listed(current_work().session, wanted, number)
    return render_template("operating/shared.html", page=page, wanted=wanted)


@blueprint.get("/shared.csv")
@permission(COORDINATE)
def shared_table() -> ResponseReturnValue:
    """The same as a table."""
    rows = ledger.rows(ledger.every(current_work().session, _wanted()))
    answer = Response(as_csv(ledger.COLUMNS, rows), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = "attachment; filename=shared.csv"
    return answer


def _wanted() -> str:
    return request.args.get("q", "").replace("\0", "").strip()[:200]


@blueprint.get("/received")
@permission(OPERATE)
def received() -> ResponseReturnValue:
    """What other servers sent that was accepted, and what came of it."""
    session = current_work().session
    state = request.args.get("state", "")
    query = select(InboxItem)
    if state in InboxItem.STATES:
        query = query.where(InboxItem.state == state)
    found = portion(session, query, InboxItem, request.args.get("before", type=row_id))
    return render_template("operating/received.html", found=found, state=state, form=FlaskForm())


@blueprint.post("/received/<int:item_id>/retry")
@permission(OPERATE)
def retry_received(item_id: int) -> ResponseReturnValue:
    """Act once more on a message that could not be acted on."""
    work = current_work()
    item = work.session.get(InboxItem, item_id)
    if item is None:
        raise NotFoundError(say("There is no such message."))
    handling.retry(work, item)
    flash(_("The message from %(host)s will be processed again.", host=item.host), "success")
    return redirect(url_for("operating.received"), 303)


@blueprint.get("/reading")
@permission(OPERATE)
def reading() -> ResponseReturnValue:
    """What is read of the councils that we follow, and when it was last compared."""
    return render_template(
        "operating/reading.html", readings=readings(current_work().session), form=FlaskForm()
    )
