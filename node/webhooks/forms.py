"""The form in which a webhook is added."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectChoice, SelectMultipleField, StringField

from node.forms import StrictForm
from node.webhooks.events import CHOICES, Event

EVENTS = {
    Event.published: _l("A project is published"),
    Event.updated: _l("A project is changed"),
    Event.deleted: _l("A project is deleted"),
    Event.told: _l("An update is written"),
    Event.test: _l("A test"),
}


class WebhookForm(StrictForm):
    """An address, and what it is told of."""

    url = StringField(
        _l("Address"), description=_l("It begins with https://. Messages are sent there by POST.")
    )
    events = SelectMultipleField(
        _l("What it is told of"),
        choices=[SelectChoice(event.value, EVENTS[event]) for event in CHOICES],
        validate_choice=False,
    )
    tells_all = BooleanField(_l("Also of projects that not everybody may see"))
