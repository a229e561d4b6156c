"""Forms in the house style.

What is right and wrong is the service's word; a form only carries it to the fields.
"""

from flask_wtf import FlaskForm

from node.errors import InvalidInputError
from node.languages import said


class HouseForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A form whose errors come from the service that was asked."""

    def show(self, error: InvalidInputError) -> None:
        """Put the service's words beside the fields they are about."""
        for name, text in error.fields.items():
            if name in self:
                self[name].errors = [*self[name].errors, said(text)]
        if not error.fields:
            self.form_errors.append(said(error.safe_text))
