"""The forms for sending a draft for review and for sending it back."""

from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectChoice, TextAreaField

from node.drafts.service import ANY_COORDINATOR
from node.forms import BaseForm
from node.people.models import User


class RequestReviewForm(BaseForm):
    """`to` is the row id of a user, or `ANY_COORDINATOR`."""

    to = RadioField(_l("Who should review this draft?"), validate_choice=False)
    note = TextAreaField(
        _l("Note (optional)"), description=_l("What you want the reviewer to look at")
    )

    def set_choices(self, people: Iterable[User]) -> None:
        """Offer these reviewers, and any coordinator."""
        any_coordinator = SelectChoice(str(ANY_COORDINATOR), _("Any coordinator"))
        self.to.choices = [
            any_coordinator,
            *(SelectChoice(str(user.id), f"{user.name}, {user.email}") for user in people),
        ]

    def selected_id(self) -> int | None:
        value = self.to.data or ""
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


class ReturnDraftForm(BaseForm):
    answer = TextAreaField(_l("What needs to change?"))
