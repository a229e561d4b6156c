"""Why a host has something of ours, or has not, in words: for the pages and the command line."""

from node.operating.reasons import Story
from node.wording import Saying, say

WORDS = {
    "own": say("That is this server."),
    "not_ours": say("It is another council’s: its own server sends it. Ask its operator."),
    "draft": say("It has not been published."),
    "private": say("It is private to our council, so it is sent to nobody."),
    "blocked": say("The server is blocked, so nothing is sent to it."),
    "not_allowed": say("The server is not on the allow-list, so nothing is sent to it."),
    "peers_only": say(
        "It is for the councils we work with, and this server is not on our list of them."
    ),
    "nobody_follows": say("Nobody there follows the council or the project, so it was not sent."),
    "followed_later": say(
        "They began to follow after it was published, so their server reads it from our"
        " list itself."
    ),
    "never_sent": say("It was published before this server could be sent anything."),
    "fetched": say("The server read it from us itself."),
    "delivered": say("Delivered, and accepted by the server."),
    "waiting": say("The next try is due."),
    "behind": say("Something older about the same thing has to be delivered first."),
    "unreachable": say("The server does not answer. It is tried again by itself."),
    "gave_up": say("Given up after the last answer. You can try again."),
    "asked_to_delete": say("The server has been asked to delete it, and has not answered yet."),
    "deleted": say("The server has acknowledged that it is deleted."),
}


def words(story: Story) -> Saying:
    """A sentence about one host."""
    return WORDS[story.reason]
