"""The network of councils that follow each other or reuse each other's outputs, and its drawing."""

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
# Councils in the drawing, and ties in the table: the strongest ones.
MAX_DRAWN, MAX_TIES = 24, 200
# In pixels. Outside the two columns there is room for two lines of a name. The columns are far
# enough apart for the steepest line to clear the last council but one.
WIDTH, MIDDLE, LEFT, RIGHT, TOP = 940, 470, 235, 705, 60
ROW_HEIGHT, LINE_HEIGHT, BEND_WIDTH = 48, 18, 120
ORGANISATION = "Organization"


@dataclass(frozen=True)
class NetworkMember:
    """A council with ties. `council` is None if we only know its name. `key` is its actor URI, or
    derived from the name.
    """

    key: str
    name: str
    council: Council | None = None
    is_ours: bool = False


@dataclass
class NetworkTie:
    """The ties between two councils. `follows` has (follower, followed) as keys of members."""

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
        """The member that follows, if only one of the two does."""
        ((key, _followed),) = self.follows
        return self.one if self.one.key == key else self.other

    @property
    def followed(self) -> NetworkMember:
        return self.other if self.follower is self.one else self.one


class _NetworkBuilder:
    """Collects members and ties, without duplicates."""

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
            display_name = council.name if council else name
            self._members[key] = NetworkMember(key, display_name, council, is_ours)
        return self._members[key]

    def tie(self, one: NetworkMember, other: NetworkMember) -> NetworkTie:
        first, second = sorted((one, other), key=lambda member: (not member.is_ours, member.key))
        return self._ties.setdefault((first.key, second.key), NetworkTie(first, second))

    @property
    def ties(self) -> list[NetworkTie]:
        unsorted = self._ties.values()
        return sorted(unsorted, key=lambda tie: (-tie.strength, tie.one.name, tie.other.name))


def list_ties(session: Session, scope: PortfolioScope) -> list[NetworkTie]:
    """All known ties, the strongest first."""
    builder = _NetworkBuilder(session)
    for follower, followed in _list_follows(session):
        follower_member = builder.member(follower.uri, follower.name)
        followed_member = builder.member(followed.uri, followed.name)
        builder.tie(follower_member, followed_member).follows.add(
            (follower_member.key, followed_member.key)
        )
    for adoption in output_adoptions.list_adoptions(session, scope):
        giver = builder.member(adoption.project.council.actor.uri, adoption.project.council.name)
        taker = builder.member(adoption.adopter.uri, adoption.adopter.name)
        if giver is not taker:
            builder.tie(giver, taker).adoptions.append(adoption)
    return builder.ties


def _list_follows(session: Session) -> list[tuple[Actor, Actor]]:
    """Pairs of follower and followed, of which our council is one."""
    own = councils.get_own(session)
    if own is None:
        return []
    follower, followed = aliased(Actor), aliased(Actor)
    query = (
        select(follower, followed)
        .join(Follow, Follow.follower_id == follower.id)
        .join(followed, Follow.followed_id == followed.id)
        .where(
            Follow.state == "accepted",
            (follower.id == own.actor_id) | (followed.id == own.actor_id),
            follower.kind == ORGANISATION,
            followed.kind == ORGANISATION,
            ~follower.is_blocked,
            ~followed.is_blocked,
        )
        .order_by(Follow.id)
    )
    return [(row[0], row[1]) for row in session.execute(query.limit(MAX_FOLLOWS))]


@dataclass(frozen=True)
class NetworkPosition:
    """Where a council is drawn. `anchor` is the SVG text-anchor of its name."""

    member: NetworkMember
    x: int
    y: int
    anchor: str

    @property
    def text_x(self) -> int:
        return self.x + {"start": 18, "end": -18}.get(self.anchor, 0)

    def text_y(self, lines: int) -> int:
        """The baseline of the first line of a name that takes this many lines."""
        if self.anchor == "middle":
            return self.y - 6 - LINE_HEIGHT * lines
        return self.y + 5 - LINE_HEIGHT * (lines - 1) // 2


@dataclass(frozen=True)
class NetworkDrawing:
    """Spots by key of their member, and lines between them. `omitted_count` is the number of
    councils that are not drawn.
    """

    positions: dict[str, NetworkPosition]
    lines: list[NetworkTie]
    omitted_count: int

    @property
    def height(self) -> int:
        return max((spot.y for spot in self.positions.values()), default=TOP) + ROW_HEIGHT

    def path(self, tie: NetworkTie) -> str:
        """The SVG path of a tie: straight between columns, bent inwards within a column, so that it
        crosses no other council or name.
        """
        one, other = self.positions[tie.one.key], self.positions[tie.other.key]
        if one.x != other.x:
            return f"M{one.x} {one.y}L{other.x} {other.y}"
        inside = one.x + (BEND_WIDTH if one.x < MIDDLE else -BEND_WIDTH)
        return f"M{one.x} {one.y}Q{inside} {(one.y + other.y) // 2} {other.x} {other.y}"


def draw(ties: list[NetworkTie]) -> NetworkDrawing:
    """Lay out the network: our council at the top, the others below in two columns by name, with
    their names outside the columns.
    """
    strength: dict[str, int] = defaultdict(int)
    members: dict[str, NetworkMember] = {}
    for tie in ties:
        for member in (tie.one, tie.other):
            members[member.key] = member
            strength[member.key] += tie.strength
    own_members = [member for member in members.values() if member.is_ours]
    others = sorted(
        (member for member in members.values() if not member.is_ours),
        key=lambda member: (-strength[member.key], member.name, member.key),
    )
    shown = sorted(others[:MAX_DRAWN], key=lambda member: (member.name.casefold(), member.key))
    spots = {member.key: NetworkPosition(member, MIDDLE, TOP, "middle") for member in own_members}
    rows = -(-len(shown) // 2)
    for number, member in enumerate(shown):
        is_left, y = number < rows, TOP + ROW_HEIGHT * (number % rows + 2)
        spots[member.key] = NetworkPosition(
            member, LEFT if is_left else RIGHT, y, "end" if is_left else "start"
        )
    lines = [tie for tie in ties if tie.one.key in spots and tie.other.key in spots]
    return NetworkDrawing(spots, lines, len(others) - len(shown))
