"""The form for saving a search."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, StringField

from node.forms import BaseForm


class SavedSearchForm(BaseForm):
    """Name of a saved search, and whether its owner is notified about new results."""

    name = StringField(
        _l("Name"), description=_l("Choose a name that helps you recognise this search")
    )
    alerts = BooleanField(_l("Notify me about new results"))
