"""Forms in the house style.

What is right and wrong is the service's word; a form only carries it to the fields.
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

# What a form sends that shows text again and saves nothing.
CONTINUE_FIELD = "_continue"
DAY_PARTS = ("day", "month", "year")
# Three letters tell months apart in English and in Welsh.
MIN_LEN_MONTH_NAME = 3


class DayField(Field):  # type: ignore[misc]  # WTForms has no types
    """A date in three boxes. `data` is a `date`, None where nothing was entered; `typed` is what
    stands in the boxes.
    """

    data: date | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.typed = ("", "", "")
        super().__init__(*args, **kwargs)

    @property
    def first_id(self) -> str:
        """The id of the box that an error leads to."""
        return f"{self.id}-{DAY_PARTS[0]}"

    def process(
        self, formdata: Any, data: Any = unset_value, extra_filters: Iterable[Any] | None = None
    ) -> None:
        super().process(None, data, extra_filters)
        if self.data:
            self.typed = (str(self.data.day), str(self.data.month), str(self.data.year))
        names = [f"{self.name}-{part}" for part in DAY_PARTS]
        if formdata is None or not any(name in formdata for name in names):
            return
        day, month, year = self.typed = tuple(formdata.get(name, "").strip() for name in names)
        self.data = None
        if any(self.typed):
            try:
                self.data = date(_parse_number(year, 4), _parse_month(month), _parse_number(day, 2))
            except ValueError:
                self.process_errors = [_l("Enter a real date, like 27 3 2027")]

    def _value(self) -> str:
        return " ".join(self.typed).strip()


class LongLineField(TextAreaField):  # type: ignore[misc]  # WTForms has no types
    """A line of text in a box with room for several: line ends that are typed become spaces."""

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = valuelist[0] if valuelist else ""
        self.data = typed.replace("\r\n", "\n").replace("\n", " ")


def _parse_month(text: str) -> int:
    """A month by its number, or by its name or the beginning of it in a language of the pages."""
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


def _parse_number(text: str, longest: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= longest):
        raise ValueError(text)
    return int(text)


class BaseForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A form whose errors come from the service that was asked."""

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        """Whether it was sent to be saved: not where somebody goes on with text that was kept, who
        sees the form again with that text in it.
        """
        return CONTINUE_FIELD not in request.form and bool(
            super().validate_on_submit(extra_validators)
        )

    def show(self, error: InvalidInputError) -> None:
        """Put the service's words beside the fields they are about; `links-0-url` is the field
        `url` of the first of several.
        """
        by_name = {field.name: field for field in iter_fields(self)}
        for name in by_name.keys() & error.fields.keys():
            by_name[name].errors = [*by_name[name].errors, translate(error.fields[name])]
        if not by_name.keys() >= error.fields.keys() or not error.fields:
            self.form_errors.append(translate(error.safe_text))


class StrictForm(BaseForm):
    """A form about passwords, tokens and the like: it takes what it asks for and nothing else."""

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        """Raises `BadRequest` for a field that the form does not have."""
        if self.is_submitted():
            refuse_unknown_fields(self)
        return super().validate_on_submit(extra_validators)


def refuse_unknown_fields(form: Form) -> None:
    """Raises `BadRequest` for what was sent and is no field of `form`, so that nobody saw it."""
    if set(request.form) - {field.name for field in form}:
        raise BadRequest


class VersionedForm(BaseForm):
    """A form of what two may change at once. `version` is the one that the writer began from."""

    version = HiddenField()

    def began_from(self) -> int:
        """The version the writer began from; 0, which nothing has, where it is missing."""
        value = self.version.data or ""
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def iter_fields(form: Iterable[Field]) -> Iterator[Field]:
    """The fields of a form, and of the forms within it, in their order."""
    for field in form:
        if isinstance(field, FormField):
            yield from iter_fields(field.form)
        elif isinstance(field, FieldList):
            yield field
            yield from iter_fields(field.entries)
        else:
            yield field
