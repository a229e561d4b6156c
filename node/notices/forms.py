"""The forms in which somebody chooses what to hear of, and how."""

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectChoice, StringField

from node.forms import HouseForm
from node.languages import LANGUAGES
from node.news.kinds import Topic
from node.notices.wording import TOPICS, WAYS


def _ways(topic: Topic) -> RadioField:
    choices = [SelectChoice(way.value, label) for way, label in WAYS.items()]
    return RadioField(TOPICS[topic], choices=choices, validate_choice=False)


class ChoicesForm(HouseForm):
    """One field for each topic, by its name."""

    own = _ways(Topic.own)
    asked = _ways(Topic.asked)
    updates = _ways(Topic.updates)
    projects = _ways(Topic.projects)
    searches = _ways(Topic.searches)
    language = RadioField(
        _l("Language for emails"),
        description=_l("We also show pages in this language when you sign in"),
        choices=[SelectChoice(code, label) for code, label in LANGUAGES.items()],
        validate_choice=False,
    )


class FollowForm(HouseForm):
    tag = StringField(
        _l("Tag name"),
        description=_l(
            "For example, housing. You get notifications about every project with this tag."
        ),
    )
