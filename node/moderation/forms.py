"""The forms of visitors who report something, and of moderators who decide."""

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    HiddenField,
    RadioField,
    SelectChoice,
    StringField,
    TextAreaField,
)

from node.forms import HouseForm
from node.moderation.service import Decision


class ReportForm(HouseForm):
    about = HiddenField()
    words = TextAreaField(
        _l("What is wrong with it?"),
        description=_l("Do not give personal details. You will not get an answer."),
    )


class DecisionForm(HouseForm):
    decision = RadioField(
        _l("What do you decide?"),
        choices=[
            SelectChoice(Decision.dismiss.value, _l("Nothing has to be done")),
            SelectChoice(Decision.hide.value, _l("Take it off our pages")),
            SelectChoice(Decision.block_author.value, _l("Block whoever wrote it")),
            SelectChoice(Decision.block_server.value, _l("Block the whole server it comes from")),
        ],
        validate_choice=False,
    )
    forward = BooleanField(_l("Report it to the server it comes from as well"))


class BlockForm(HouseForm):
    address = StringField(
        _l("Address"),
        description=_l("Such as @somebody@social.example, or the address of their page"),
    )
