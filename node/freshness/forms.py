"""The form to choose a review date."""

from flask_babel import lazy_gettext as _l

from node.forms import BaseForm, DateField


class ReviewDateForm(BaseForm):
    day = DateField(
        _l("Review date"),
        description=_l(
            "For example, 27 3 2027. The date must be within a year. Leave this "
            "empty to use the usual review date."
        ),
    )
