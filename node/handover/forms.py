"""The form for offering a project to a new owner."""

from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectChoice, TextAreaField

from node.forms import BaseForm
from node.people.models import User


class OfferForm(BaseForm):
    """`to` is the row id of a user."""

    to = RadioField(_l("Who should be the new owner?"), validate_choice=False)
    note = TextAreaField(
        _l("Note (optional)"),
        description=_l("What the new owner needs to know, in a sentence or two"),
    )

    def set_choices(self, people: Iterable[User]) -> None:
        """Offer these users as new owners."""
        self.to.choices = [
            SelectChoice(str(user.id), f"{user.name}, {user.email}") for user in people
        ]

    def selected_id(self) -> int:
        """The row id of the selected user; 0 if none is selected."""
        value = self.to.data or ""
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0
