"""Base classes of forms.

Services validate; a form only shows their errors beside its fields.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from babel.dates import get_month_names
from flask import request
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.exceptions import BadRequest
from wtforms import Field, FieldList, Form, FormField, HiddenField, TextAreaField
from wtforms.utils import unset_value

from node.errors import InvalidInputError
from node.languages import LANGUAGES, translate

# Sent by a form that restores unsaved text, to be shown again and not saved.
CONTINUE_FIELD = "_continue"
DAY_PARTS = ("day", "month", "year")
# Three letters identify a month in English and in Welsh.
MIN_LEN_MONTH_NAME = 3


class DateField(Field):  # type: ignore[misc]  # WTForms has no types
    """A date in three inputs: `data` is the date, None if nothing valid was entered; `typed` are
    the texts of the inputs (day, month, year).
    """

    data: date | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.raw_parts = ("", "", "")
        super().__init__(*args, **kwargs)

    @property
    def first_id(self) -> str:
        """The id of the input that the error summary links to."""
        return f"{self.id}-{DAY_PARTS[0]}"

    def process(
        self, formdata: Any, data: Any = unset_value, extra_filters: Iterable[Any] | None = None
    ) -> None:
        super().process(None, data, extra_filters)
        if self.data:
            self.raw_parts = (str(self.data.day), str(self.data.month), str(self.data.year))
        names = [f"{self.name}-{part}" for part in DAY_PARTS]
        if formdata is None or not any(name in formdata for name in names):
            return
        day, month, year = self.raw_parts = tuple(formdata.get(name, "").strip() for name in names)
        self.data = None
        if any(self.raw_parts):
            try:
                self.data = date(_parse_number(year, 4), _parse_month(month), _parse_number(day, 2))
            except ValueError:
                self.process_errors = [_l("Enter a real date, for example 27 3 2027")]

    def _value(self) -> str:
        return " ".join(self.raw_parts).strip()


class LongLineField(TextAreaField):  # type: ignore[misc]  # WTForms has no types
    """One line of text in a text area; line ends become spaces."""

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = valuelist[0] if valuelist else ""
        self.data = typed.replace("\r\n", "\n").replace("\n", " ")


def _parse_month(text: str) -> int:
    """The month with this number, name or beginning of a name, in any language of the pages.

    Raises `ValueError`.
    """
    typed = text.casefold().rstrip(".")
    if len(typed) < MIN_LEN_MONTH_NAME or typed.isdigit():
        return _parse_number(text, 2)
    months = {
        number
        for language in LANGUAGES
        for number, name in get_month_names("wide", locale=language).items()
        if name.casefold().startswith(typed)
    }
    if len(months) != 1:
        raise ValueError(text)
    return int(months.pop())


def _parse_number(text: str, max_digits: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= max_digits):
        raise ValueError(text)
    return int(text)


class BaseForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A form whose errors come from a service."""

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        """Whether the form was sent to be saved. False for restored text, which is shown again."""
        return CONTINUE_FIELD not in request.form and bool(
            super().validate_on_submit(extra_validators)
        )

    def add_errors(self, error: InvalidInputError) -> None:
        """Show a service's error beside its fields; `links-0-url` is the field `url` of the first
        entry of the field list `links`.
        """
        by_name = {field.name: field for field in iter_fields(self)}
        for name in by_name.keys() & error.fields.keys():
            by_name[name].errors = [*by_name[name].errors, translate(error.fields[name])]
        if not by_name.keys() >= error.fields.keys() or not error.fields:
            self.form_errors.append(translate(error.safe_text))


class StrictForm(BaseForm):
    """A form for passwords, tokens and the like, which refuses unknown fields."""

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        """Raises `BadRequest` for a field that the form does not have."""
        if self.is_submitted():
            refuse_unknown_fields(self)
        return super().validate_on_submit(extra_validators)


def refuse_unknown_fields(form: Form) -> None:
    """Raises `BadRequest` for a submitted field that `form` does not have: no user saw it."""
    if set(request.form) - {field.name for field in form}:
        raise BadRequest


class VersionedForm(BaseForm):
    """A form that detects concurrent edits. `version` is the version that the user started from."""

    version = HiddenField()

    def base_version(self) -> int:
        """The version the user started from; 0, which no object has, if it is missing."""
        value = self.version.data or ""
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def iter_fields(form: Iterable[Field]) -> Iterator[Field]:
    """The fields of a form and of its nested forms, in order."""
    for field in form:
        if isinstance(field, FormField):
            yield from iter_fields(field.form)
        elif isinstance(field, FieldList):
            yield field
            yield from iter_fields(field.entries)
        else:
            yield field
