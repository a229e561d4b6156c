"""The form in which the days of a report are chosen."""

from flask import request
from flask_babel import lazy_gettext as _l

from node.evidence.highlights import MAX_PERIOD, ReportPeriod
from node.forms import BaseForm, DayField

VALID_YEARS = range(1970, 2999)


class PeriodForm(BaseForm):
    """Two days, in the address of the page."""

    class Meta:
        csrf = False  # it changes nothing

    first = DayField(_l("First day"), description=_l("For example, 1 11 2026"))
    last = DayField(_l("Last day"), description=_l("For example, 30 11 2026"))

    @classmethod
    def from_request(cls) -> "PeriodForm | None":
        """What was typed, if anything was."""
        form = cls(formdata=request.args)
        return form if any((*form.first.typed, *form.last.typed)) else None

    def to_period(self) -> ReportPeriod | None:
        """The days that were typed; None, with what is wrong beside its field, where they are no
        period.
        """
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
