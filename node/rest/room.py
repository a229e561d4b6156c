"""What the API contributes to the node."""

from node.events import On
from node.people.events import CredentialsRevoked
from node.rest import api, service, views
from node.room import Room

ROOM = Room(
    name="rest",
    pages=(api.blueprint, views.blueprint),
    on=(On(CredentialsRevoked, service.on_credentials_revoked),),
)
