"""Someone who reads: anonymous, a server that has proved its identity, or a local user.

Restricted content is shown only to those who may see it; for others it does not exist.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from node.access.audiences import PEERS, PUBLIC, Audience
from node.access.permissions import EDIT, is_allowed
from node.plugin_api.hooks import Hooks


@dataclass(frozen=True)
class Viewer:
    """Someone who makes a request to read.

    `host` is set for a verified server that is allowed by name. `is_local_user`: someone who works
    at our council, who `may_see_drafts` if their roles include editing projects.
    """

    host: str | None = None
    is_local_user: bool = False
    may_see_drafts: bool = False

    @property
    def audience(self) -> Audience:
        """The widest circle of readers that the viewer belongs to."""
        return PEERS if self.host or self.is_local_user else PUBLIC

    @property
    def audiences(self) -> tuple[Audience, ...]:
        """The audiences whose activities the viewer may see; direct ones never."""
        return (PUBLIC, PEERS) if self.audience == PEERS else (PUBLIC,)


ANONYMOUS = Viewer()
LOCAL_USER = Viewer(is_local_user=True)


def viewer_with_roles(roles: Iterable[str], hooks: Hooks) -> Viewer:
    """A local user with these roles, signed in or using an API token."""
    return Viewer(is_local_user=True, may_see_drafts=is_allowed(roles, EDIT, hooks))
