"""Operator pages about queued, sent and failed emails."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from node.access.permissions import OPERATE
from node.mail import service as mail
from node.mail.models import Mail
from node.operating.blueprint import blueprint, requested_page
from node.request import current_work, permission


@blueprint.get("/mail")
@permission(OPERATE)
def mails() -> ResponseReturnValue:
    """Recent emails, newest first, without their text, which is for their recipients only."""
    state = request.args.get("state", "")
    query = select(Mail).where(Mail.state == state) if state in Mail.STATES else select(Mail)
    page = requested_page(query, Mail.id)
    return render_template("operating/mail.html", page=page, state=state)


@blueprint.post("/mail/<int:mail_id>/retry")
@permission(OPERATE)
def retry_mail(mail_id: int) -> ResponseReturnValue:
    row = mail.retry(current_work(), mail_id)
    flash(
        _("We will try again to send the email to %(address)s.", address=row.recipient), "success"
    )
    return redirect(url_for("operating.mails"), 303)
