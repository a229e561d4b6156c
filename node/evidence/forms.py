"""The form to choose the period of a report."""

from flask import request
from flask_babel import lazy_gettext as _l

from node.evidence.highlights import MAX_PERIOD, ReportPeriod
from node.forms import BaseForm, DateField

VALID_YEARS = range(1970, 2999)


class PeriodForm(BaseForm):
    """The first and last day of a period, from the query string."""

    class Meta:
        csrf = False  # the form is read-only

    first = DateField(_l("First day"), description=_l("For example, 1 11 2026"))
    last = DateField(_l("Last day"), description=_l("For example, 30 11 2026"))

    @classmethod
    def from_request(cls) -> "PeriodForm | None":
        """The form of the current request; None if its fields are empty."""
        form = cls(formdata=request.args)
        return form if any((*form.first.raw_parts, *form.last.raw_parts)) else None

    def to_period(self) -> ReportPeriod | None:
        """The period; None if it is invalid, with errors on the fields."""
        self.validate()
        for field in (self.first, self.last):
            if field.data is None and not field.errors:
                field.errors = [_l("Enter a date, for example 30 11 2026")]
            elif field.data is not None and field.data.year not in VALID_YEARS:
                field.errors = [_l("Year must be between 1970 and 2998")]
        first, last = self.first.data, self.last.data
        if first is None or last is None or self.first.errors or self.last.errors:
            return None
        if last < first:
            self.last.errors = [_l("Last day must be the same as or after the first day")]
        elif last - first > MAX_PERIOD:
            self.last.errors = [_l("Last day must be no more than a year after the first day")]
        return None if self.last.errors else ReportPeriod(first, last)
