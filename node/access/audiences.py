"""Who may read what is sent to other servers: the audience of each activity and document."""

from typing import Literal, TypeAlias

from node.plugin_api import declarations

PUBLIC: Literal["public"] = "public"
PEERS: Literal["peers"] = "peers"
DIRECT: Literal["direct"] = "direct"
# The audience of withdrawn activities: nobody else may read them.
NOBODY: Literal["nobody"] = "nobody"
Audience: TypeAlias = declarations.Audience
