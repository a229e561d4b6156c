"""What the pages of one's own account contribute to the node."""

from node.account import change_emails, views
from node.events import On
from node.people.events import AccountChanged
from node.room import Room

ROOM = Room(
    name="account",
    pages=(views.blueprint,),
    on=(On(AccountChanged, change_emails.on_account_changed),),
)
