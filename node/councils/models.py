"""The council table. Federation uses a council's actor; only our own council has a `slug`."""

from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.database.tables import Base
from node.federating.models import Actor


class Region(StrEnum):
    """The nine regions of England, and the other countries of the United Kingdom."""

    north_east = "north-east"
    north_west = "north-west"
    yorkshire_humber = "yorkshire-humber"
    east_midlands = "east-midlands"
    west_midlands = "west-midlands"
    east_england = "east-england"
    london = "london"
    south_east = "south-east"
    south_west = "south-west"
    wales = "wales"
    scotland = "scotland"
    northern_ireland = "northern-ireland"


class Council(Base):
    """A council of this node (`actor.is_local`) or of another.

    `slug` (its name in web addresses) and `colour` (#rrggbb) are set for our own council only.
    `gss_code` is the ONS code, such as E06000037. `latitude` and `longitude` are the location of
    the offices in degrees north and east (WGS 84): both or neither.
    """

    __tablename__ = "council"

    id: Mapped[int] = mapped_column(primary_key=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"), unique=True)
    name: Mapped[str] = mapped_column(String(300))
    slug: Mapped[str | None] = mapped_column(String(100), unique=True)
    colour: Mapped[str | None] = mapped_column(String(7))
    gss_code: Mapped[str | None] = mapped_column(String(9), index=True)
    region: Mapped[Region | None] = mapped_column(Enum(Region, native_enum=False, length=20))
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    actor: Mapped[Actor] = relationship()

    @property
    def is_local(self) -> bool:
        return self.actor.is_local
