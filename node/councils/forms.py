"""Forms to follow a council, and to set the location of our own."""

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectChoice, StringField

from node.councils.own_location import LocationInput
from node.councils.places import REGION_LABELS
from node.forms import BaseForm


class FollowForm(BaseForm):
    address = StringField(
        _l("Address of the council"),
        description=_l(
            "For example, @aldermoor@moothall.aldermoor.gov.uk. You can also enter "
            "the web address of the council’s page."
        ),
    )


class LocationForm(BaseForm):
    """The location of our council."""

    region = RadioField(
        _l("Region or country"),
        choices=[
            *(SelectChoice(region.value, label) for region, label in REGION_LABELS.items()),
            SelectChoice("", _l("Do not show a region")),
        ],
        default="",
        validate_choice=False,
    )
    latitude = StringField(
        _l("Latitude (optional)"),
        description=_l("In degrees, for the council’s main office. For example, 50.72."),
    )
    longitude = StringField(
        _l("Longitude (optional)"),
        description=_l(
            "In degrees. Use a minus sign for places west of Greenwich. For example, -3.53."
        ),
    )

    def to_input(self) -> LocationInput:
        return LocationInput(
            self.region.data or "", self.latitude.data or "", self.longitude.data or ""
        )

    def fill(self, location: LocationInput) -> None:
        self.region.data = location.region
        self.latitude.data, self.longitude.data = location.latitude, location.longitude
