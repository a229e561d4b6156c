"""Forms for notification settings and for following a tag."""

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectChoice, StringField

from node.forms import BaseForm
from node.languages import LANGUAGES
from node.notification_kinds import Topic
from node.notifications.sentences import FREQUENCY_LABELS, TOPIC_LABELS


def _frequency_field(topic: Topic) -> RadioField:
    choices = [
        SelectChoice(frequency.value, label) for frequency, label in FREQUENCY_LABELS.items()
    ]
    return RadioField(TOPIC_LABELS[topic], choices=choices, validate_choice=False)


class PreferencesForm(BaseForm):
    """One field for each `Topic`, named after it, and the language of emails."""

    own = _frequency_field(Topic.own)
    asked = _frequency_field(Topic.asked)
    updates = _frequency_field(Topic.updates)
    projects = _frequency_field(Topic.projects)
    searches = _frequency_field(Topic.searches)
    language = RadioField(
        _l("Language for emails"),
        description=_l("We also show pages in this language when you sign in"),
        choices=[SelectChoice(code, label) for code, label in LANGUAGES.items()],
        validate_choice=False,
    )


class FollowTagForm(BaseForm):
    tag = StringField(
        _l("Tag name"),
        description=_l(
            "For example, housing. You will get notifications about every project with this tag."
        ),
    )
