"""Who may see what: one rule, for one object in Python and for the rows of a table in SQL."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, SQLColumnExpression, false, true

from node.access.audiences import PEERS, PUBLIC, Audience
from node.access.viewer import Viewer

TruthT = TypeVar("TruthT", bool, ColumnElement[bool])


class Visibility(StrEnum):
    """Who may see a published object: everyone, the councils we allowed, or only our council."""

    public = "public"
    peers = "peers"
    private = "private"

    @property
    def audience(self) -> Audience | None:
        """Who may have it on other servers; None for no one."""
        audiences: dict[Visibility, Audience] = {self.public: PUBLIC, self.peers: PEERS}
        return audiences.get(self)


@dataclass(frozen=True, eq=False)
class Resource(Generic[TruthT]):
    """What decides who may see an object: facts about one object, or the SQL conditions for them.

    `is_for_peers` holds for what is public too. `is_shown`: its council is shown on this site, and
    no moderator has hidden the object.
    """

    is_public: TruthT
    is_for_peers: TruthT
    is_ours: TruthT
    is_shown: TruthT
    is_published: TruthT
    is_draft: TruthT


def resource_of(
    visibility: Visibility,
    *,
    is_ours: bool = True,
    is_shown: bool = True,
    is_published: bool = True,
    is_draft: bool = False,
) -> Resource[bool]:
    """One object, for checks in Python."""
    is_public = visibility is Visibility.public
    is_for_peers = is_public or visibility is Visibility.peers
    return Resource(is_public, is_for_peers, is_ours, is_shown, is_published, is_draft)


def resource_rows(
    visibility: SQLColumnExpression[Any],
    *,
    is_ours: ColumnElement[bool] | None = None,
    is_shown: ColumnElement[bool] | None = None,
    is_published: ColumnElement[bool] | None = None,
    is_draft: ColumnElement[bool] | None = None,
) -> Resource[ColumnElement[bool]]:
    """The rows of a table with this column, for SQL conditions; the defaults are those of
    `resource_of`.
    """
    return Resource(
        is_public=visibility == Visibility.public.value,
        is_for_peers=visibility.in_([Visibility.public.value, Visibility.peers.value]),
        is_ours=true() if is_ours is None else is_ours,
        is_shown=true() if is_shown is None else is_shown,
        is_published=true() if is_published is None else is_published,
        is_draft=false() if is_draft is None else is_draft,
    )


def is_for(audience: Audience, resource: Resource[TruthT]) -> TruthT:
    """Whether `audience` may read an object, as its visibility says."""
    return resource.is_public if audience == PUBLIC else resource.is_for_peers


def can_read(viewer: Viewer, resource: Resource[TruthT]) -> TruthT:
    """Whether `viewer` may read an object in any state. Other servers get what is for peers from
    the council whose it is, and so only ours from us.
    """
    if viewer.is_local_user:
        return resource.is_shown
    if viewer.audience == PUBLIC:
        return resource.is_shown & is_for(PUBLIC, resource)
    is_for_viewer = resource.is_ours & is_for(viewer.audience, resource)
    return resource.is_shown & (is_for(PUBLIC, resource) | is_for_viewer)


def can_see(viewer: Viewer, resource: Resource[TruthT], *, include_drafts: bool = False) -> TruthT:
    """Whether `viewer` may see an object on this site: a published one, and with `include_drafts`
    also a draft, if they may see drafts.
    """
    if include_drafts and viewer.may_see_drafts:
        return (resource.is_published | resource.is_draft) & can_read(viewer, resource)
    return resource.is_published & can_read(viewer, resource)


def can_fetch(viewer: Viewer, resource: Resource[TruthT]) -> TruthT:
    """Whether `viewer` may fetch an object of ours as a document for other servers. What is private
    has none, for local users neither.
    """
    return resource.is_ours & resource.is_published & is_for(viewer.audience, resource)
