"""The form in which another council is named."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField

from node.forms import HouseForm


class FollowForm(HouseForm):
    address = StringField(
        _l("Address of the council"),
        description=_l("Such as @aldermoor@moothall.aldermoor.gov.uk, or the address of its page"),
    )
