"""The forms in which another council is named, and in which ours says where it is."""

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectChoice, StringField

from node.councils.places import LABELS
from node.councils.placing import Whereabouts
from node.forms import HouseForm


class FollowForm(HouseForm):
    address = StringField(
        _l("Address of the council"),
        description=_l("Such as @aldermoor@moothall.aldermoor.gov.uk, or the address of its page"),
    )


class PlaceForm(HouseForm):
    """Where our council is."""

    region = RadioField(
        _l("Region or country"),
        choices=[
            *(SelectChoice(region.value, label) for region, label in LABELS.items()),
            SelectChoice("", _l("Do not say")),
        ],
        default="",
        validate_choice=False,
    )
    latitude = StringField(
        _l("Latitude (optional)"),
        description=_l("Degrees north of the council’s main office, such as 50.72"),
    )
    longitude = StringField(
        _l("Longitude (optional)"),
        description=_l("Degrees east, such as -3.53: most of the country is west of 0"),
    )

    def whereabouts(self) -> Whereabouts:
        return Whereabouts(
            self.region.data or "", self.latitude.data or "", self.longitude.data or ""
        )

    def fill(self, said: Whereabouts) -> None:
        self.region.data = said.region
        self.latitude.data, self.longitude.data = said.latitude, said.longitude
