"""Pages on which users manage their webhooks, and operators all webhooks."""

from http.client import responses

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from node.access.permissions import EDIT, OPERATE, has_permission
from node.errors import ConflictError, InvalidInputError
from node.languages import translate
from node.request import current_work, permission
from node.webhooks import service
from node.webhooks.events import SUBSCRIBABLE_EVENTS
from node.webhooks.forms import EVENT_LABELS, WebhookForm
from node.webhooks.models import Webhook

blueprint = Blueprint("webhooks", __name__, template_folder="templates")


@blueprint.get("/account/webhooks")
@permission(EDIT)
def index() -> ResponseReturnValue:
    return _render_list(WebhookForm())


def _render_list(form: WebhookForm) -> str:
    webhooks = service.list_of_user(
        current_work().session, current_user, all_users=has_permission(OPERATE)
    )
    return render_template(
        "webhooks/index.html", form=form, webhooks=webhooks, names=_owner_names()
    )


def _owner_names() -> dict[str, str]:
    return {event.value: str(label) for event, label in EVENT_LABELS.items()}


@blueprint.post("/account/webhooks/new")
@permission(EDIT)
def add() -> ResponseReturnValue:
    """Add a webhook, and show its secret, which is shown only once."""
    form, work = WebhookForm(), current_work()
    if not form.validate_on_submit():
        return _render_list(form), 400
    event_names = [name for name in form.events.data or [] if name in list(SUBSCRIBABLE_EVENTS)]
    try:
        webhook = service.add_webhook(
            work,
            current_user,
            form.url.data or "",
            event_names,
            tells_all=bool(form.tells_all.data),
        )
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_list(form), 400
    except ConflictError as error:
        form.form_errors.append(translate(error.safe_text))
        return _render_list(form), 409
    return _render_webhook(webhook, webhook.secret)


@blueprint.get("/account/webhooks/<int:webhook_id>")
@permission(EDIT)
def show(webhook_id: int) -> ResponseReturnValue:
    """A webhook and its latest messages."""
    return _render_webhook(_find_webhook(webhook_id))


def _find_webhook(webhook_id: int) -> Webhook:
    session = current_work().session
    return service.find(session, current_user, webhook_id, all_users=has_permission(OPERATE))


def _render_webhook(webhook: Webhook, secret: str = "") -> str:
    messages = service.list_messages(current_work().session, webhook)
    return render_template(
        "webhooks/webhook.html",
        webhook=webhook,
        latest_messages=messages,
        secret=secret,
        names=_owner_names(),
        phrases=responses,
    )


@blueprint.post("/account/webhooks/<int:webhook_id>/secret")
@permission(EDIT)
def change_secret(webhook_id: int) -> ResponseReturnValue:
    webhook = _find_webhook(webhook_id)
    return _render_webhook(webhook, service.change_secret(current_work(), webhook))


@blueprint.post("/account/webhooks/<int:webhook_id>/test")
@permission(EDIT)
def test(webhook_id: int) -> ResponseReturnValue:
    service.queue_test(current_work(), _find_webhook(webhook_id))
    flash(_("We are sending a test message. Reload this page to see the result."), "success")
    return redirect(url_for("webhooks.show", webhook_id=webhook_id), 303)


@blueprint.post("/account/webhooks/<int:webhook_id>/on")
@permission(EDIT)
def switch_on(webhook_id: int) -> ResponseReturnValue:
    service.switch_on(current_work(), _find_webhook(webhook_id))
    flash(_("The webhook has been switched on."), "success")
    return redirect(url_for("webhooks.show", webhook_id=webhook_id), 303)


@blueprint.post("/account/webhooks/<int:webhook_id>/remove")
@permission(EDIT)
def remove(webhook_id: int) -> ResponseReturnValue:
    service.remove_webhook(current_work(), _find_webhook(webhook_id))
    flash(_("The webhook has been removed. We will not send anything more to it."), "success")
    return redirect(url_for("webhooks.index"), 303)
