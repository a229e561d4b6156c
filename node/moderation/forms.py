"""The forms with which visitors report a problem and moderators decide about a report."""

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    HiddenField,
    RadioField,
    SelectChoice,
    StringField,
    TextAreaField,
)

from node.forms import BaseForm
from node.moderation.service import ReportDecision


class ReportForm(BaseForm):
    about = HiddenField()
    words = TextAreaField(
        _l("What is the problem?"),
        description=_l("Do not include personal details. You will not get a reply."),
    )


class DecisionForm(BaseForm):
    decision = RadioField(
        _l("What do you want to do?"),
        choices=[
            SelectChoice(ReportDecision.dismiss.value, _l("Take no action")),
            SelectChoice(ReportDecision.hide.value, _l("Hide on this site")),
            SelectChoice(ReportDecision.block_author.value, _l("Block the author")),
            SelectChoice(ReportDecision.block_server.value, _l("Block the whole server")),
        ],
        validate_choice=False,
    )
    forward = BooleanField(_l("Also report it to the author’s server"))


class BlockForm(BaseForm):
    address = StringField(
        _l("Address"),
        description=_l(
            "For example, @sam@social.example. You can also enter the web address of their page."
        ),
    )
