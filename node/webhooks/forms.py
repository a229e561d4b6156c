"""The form to add a webhook."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectChoice, SelectMultipleField, StringField

from node.forms import StrictForm
from node.webhooks.events import SUBSCRIBABLE_EVENTS, WebhookEvent

EVENT_LABELS = {
    WebhookEvent.published: _l("A project is published"),
    WebhookEvent.updated: _l("A project is changed"),
    WebhookEvent.deleted: _l("A project is deleted"),
    WebhookEvent.update_published: _l("An update is published"),
    WebhookEvent.test: _l("Test message"),
}


class WebhookForm(StrictForm):
    """The URL, the events to send, and whether to include projects that are not public."""

    url = StringField(
        _l("Address"),
        description=_l("The address must begin with https://. We send messages to it by POST."),
    )
    events = SelectMultipleField(
        _l("Events to send"),
        choices=[SelectChoice(event.value, EVENT_LABELS[event]) for event in SUBSCRIBABLE_EVENTS],
        validate_choice=False,
    )
    tells_all = BooleanField(_l("Include projects that are not public"))
