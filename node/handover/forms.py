"""The form with which a project is offered to somebody."""

from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectChoice, TextAreaField

from node.forms import BaseForm
from node.people.models import User


class OfferForm(BaseForm):
    """`to` is the number of a person's row."""

    to = RadioField(_l("Who should be the new owner?"), validate_choice=False)
    note = TextAreaField(
        _l("Note (optional)"),
        description=_l("What the new owner needs to know, in a sentence or two"),
    )

    def set_choices(self, people: Iterable[User]) -> None:
        """The people who can be chosen."""
        self.to.choices = [
            SelectChoice(str(each.id), f"{each.name}, {each.email}") for each in people
        ]

    def selected_id(self) -> int:
        """The number of whoever was chosen; 0 for nobody."""
        value = self.to.data or ""
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0
