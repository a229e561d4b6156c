"""The form in which a review date is chosen."""

from flask_babel import lazy_gettext as _l

from node.forms import DayField, HouseForm


class ReviewForm(HouseForm):
    day = DayField(
        _l("When it is to be looked at again"),
        description=_l("Within a year, such as 27 3 2027. Leave it empty for the usual time."),
    )
