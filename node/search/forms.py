"""The form in which a search is kept."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, StringField

from node.forms import BaseForm


class SavedSearchForm(BaseForm):
    """What a search is called, and whether to hear of what is new in it."""

    name = StringField(
        _l("Name"), description=_l("Choose a name that helps you recognise this search")
    )
    alerts = BooleanField(_l("Notify me about new results"))
