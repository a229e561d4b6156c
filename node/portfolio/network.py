"""Who works with whom: councils that follow each other, and that use what another gave."""

from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from node.councils import service as councils
from node.councils.models import Council
from node.federating.models import Actor, Follow
from node.portfolio import output_adoptions
from node.portfolio.output_adoptions import AdoptedOutput
from node.portfolio.scope import PortfolioScope

MAX_FOLLOWS = 1_000
# The picture has the councils with the strongest ties; the table has more.
MAX_DRAWN, MAX_TIES = 24, 200
# In SVG units, which are pixels. Outside of the columns is room for two lines of a name. They are
# so far apart that the steepest line passes the last council but one at a distance.
WIDTH, MIDDLE, LEFT, RIGHT, TOP = 940, 470, 235, 705, 60
ROW_HEIGHT, LINE_HEIGHT, BEND_WIDTH = 48, 18, 120
ORGANISATION = "Organization"


@dataclass(frozen=True)
class NetworkMember:
    """A council that has ties. `council` is its row, None where we know but its name."""

    key: str
    name: str
    council: Council | None = None
    is_ours: bool = False


@dataclass
class NetworkTie:
    """What is between two councils. `follows` has who follows whom, by their keys."""

    one: NetworkMember
    other: NetworkMember
    follows: set[tuple[str, str]] = field(default_factory=set)
    adoptions: list[AdoptedOutput] = field(default_factory=list)

    @property
    def strength(self) -> int:
        return len(self.follows) + 2 * len(self.adoptions)

    @property
    def is_mutual(self) -> bool:
        return len(self.follows) == 2

    @property
    def follower(self) -> NetworkMember:
        """Who follows, where only one does."""
        ((key, _followed),) = self.follows
        return self.one if self.one.key == key else self.other

    @property
    def followed(self) -> NetworkMember:
        return self.other if self.follower is self.one else self.one


class _NetworkBuilder:
    """The councils that are met, each once, and the ties between them."""

    def __init__(self, session: Session) -> None:
        rows = session.scalars(select(Council).join(Council.actor).where(~Actor.is_blocked))
        self._councils = {council.actor.uri: council for council in rows}
        self._members: dict[str, NetworkMember] = {}
        self._ties: dict[tuple[str, str], NetworkTie] = {}

    def member(self, uri: str, name: str) -> NetworkMember:
        council = self._councils.get(uri)
        key = uri or f"name:{name.casefold()}"
        if key not in self._members:
            is_ours = council is not None and council.is_local
            shown = council.name if council else name
            self._members[key] = NetworkMember(key, shown, council, is_ours)
        return self._members[key]

    def tie(self, one: NetworkMember, other: NetworkMember) -> NetworkTie:
        first, second = sorted((one, other), key=lambda each: (not each.is_ours, each.key))
        return self._ties.setdefault((first.key, second.key), NetworkTie(first, second))

    @property
    def ties(self) -> list[NetworkTie]:
        found = self._ties.values()
        return sorted(found, key=lambda tie: (-tie.strength, tie.one.name, tie.other.name))


def list_ties(session: Session, scope: PortfolioScope) -> list[NetworkTie]:
    """All ties that we know of, the strongest first."""
    found = _NetworkBuilder(session)
    for follower, followed in _list_follows(session):
        one = found.member(follower.uri, follower.name)
        other = found.member(followed.uri, followed.name)
        found.tie(one, other).follows.add((one.key, other.key))
    for each in output_adoptions.list_adoptions(session, scope):
        giver = found.member(each.project.council.actor.uri, each.project.council.name)
        taker = found.member(each.adopter.uri, each.adopter.name)
        if giver is not taker:
            found.tie(giver, taker).adoptions.append(each)
    return found.ties


def _list_follows(session: Session) -> list[tuple[Actor, Actor]]:
    """Our council and those that follow it, or that it follows."""
    own = councils.own(session)
    if own is None:
        return []
    one, other = aliased(Actor), aliased(Actor)
    query = (
        select(one, other)
        .join(Follow, Follow.follower_id == one.id)
        .join(other, Follow.followed_id == other.id)
        .where(
            Follow.state == "accepted",
            (one.id == own.actor_id) | (other.id == own.actor_id),
            one.kind == ORGANISATION,
            other.kind == ORGANISATION,
            ~one.is_blocked,
            ~other.is_blocked,
        )
        .order_by(Follow.id)
    )
    return [(row[0], row[1]) for row in session.execute(query.limit(MAX_FOLLOWS))]


@dataclass(frozen=True)
class NetworkSpot:
    """Where a council is drawn, and how its name stands beside it: `anchor` is SVG's word."""

    party: NetworkMember
    x: int
    y: int
    anchor: str

    @property
    def text_x(self) -> int:
        return self.x + {"start": 18, "end": -18}.get(self.anchor, 0)

    def text_y(self, lines: int) -> int:
        """The baseline of the first of so many lines."""
        if self.anchor == "middle":
            return self.y - 6 - LINE_HEIGHT * lines
        return self.y + 5 - LINE_HEIGHT * (lines - 1) // 2


@dataclass(frozen=True)
class NetworkDrawing:
    """Spots and the lines between them; `left_out` counts the councils that have no room."""

    spots: dict[str, NetworkSpot]
    lines: list[NetworkTie]
    omitted_count: int

    @property
    def height(self) -> int:
        return max((spot.y for spot in self.spots.values()), default=TOP) + ROW_HEIGHT

    def path(self, tie: NetworkTie) -> str:
        """The line of a tie, as SVG writes it. It meets no council but its own two, and no name:
        between columns it is straight, within one it bends to the inside.
        """
        one, other = self.spots[tie.one.key], self.spots[tie.other.key]
        if one.x != other.x:
            return f"M{one.x} {one.y}L{other.x} {other.y}"
        inside = one.x + (BEND_WIDTH if one.x < MIDDLE else -BEND_WIDTH)
        return f"M{one.x} {one.y}Q{inside} {(one.y + other.y) // 2} {other.x} {other.y}"


def draw(found: list[NetworkTie]) -> NetworkDrawing:
    """The same picture for the same ties: ours at the top, the others below it by name in two
    columns, with their names outside of these.
    """
    strength: dict[str, int] = defaultdict(int)
    parties: dict[str, NetworkMember] = {}
    for tie in found:
        for party in (tie.one, tie.other):
            parties[party.key] = party
            strength[party.key] += tie.strength
    ours = [party for party in parties.values() if party.is_ours]
    others = sorted(
        (party for party in parties.values() if not party.is_ours),
        key=lambda party: (-strength[party.key], party.name, party.key),
    )
    shown = sorted(others[:MAX_DRAWN], key=lambda party: (party.name.casefold(), party.key))
    spots = {party.key: NetworkSpot(party, MIDDLE, TOP, "middle") for party in ours}
    rows = -(-len(shown) // 2)
    for number, party in enumerate(shown):
        is_left, y = number < rows, TOP + ROW_HEIGHT * (number % rows + 2)
        spots[party.key] = NetworkSpot(
            party, LEFT if is_left else RIGHT, y, "end" if is_left else "start"
        )
    lines = [tie for tie in found if tie.one.key in spots and tie.other.key in spots]
    return NetworkDrawing(spots, lines, len(others) - len(shown))
