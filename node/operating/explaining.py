"""Why a host has something of ours, or has not, or why we have not something of its, in words and
with the next step: for the pages and the command line.
"""

from node.operating.reasons import Story
from node.wording import Saying, say

NOTHING = say("You do not need to do anything.")
ASK_TO_ALLOW = say("Ask the operator of that server to allow ours, then retry.")
ALLOW = say("If that server should have the item, go to Servers and allow it.")
TRY_AGAIN = say("If that server should have the item, retry the delivery.")
TO_MODERATE = say("Go to Moderation to decide what happens to the item.")
ASK_WHETHER_RUNNING = say(
    "Ask the operator of that server whether it is running, then retry. "
    "When a Moothall server is running again, it finds what it missed."
)

# What became of it, and what an operator can do.
SAID: dict[str, tuple[Saying, Saying]] = {
    "own": (say("That is our own server."), NOTHING),
    "from_there": (say("The item was written on that server."), NOTHING),
    "not_ours": (
        say("The item belongs to another council, so that council’s server sends it."),
        say("Ask the operator of that council’s server."),
    ),
    "draft": (say("The item has not been published."), say("Publish the item.")),
    "private": (
        say("Only our council can see the item, so we do not send it to any server."),
        say("The owner can change who can see the item."),
    ),
    "held": (
        say("A moderator has not approved the item yet, so we do not share it with other servers."),
        TO_MODERATE,
    ),
    "hidden": (
        say("A moderator hid the item, so we do not share it with other servers."),
        TO_MODERATE,
    ),
    "blocked": (
        say("The server is blocked, so we do not send anything to it."),
        say("If that server should have the item, go to Servers and unblock it."),
    ),
    "not_allowed": (
        say("The server is not one of our allowed servers, so we do not send anything to it."),
        ALLOW,
    ),
    "peers_only": (
        say(
            "Only councils we work with can see the item, and that server is not "
            "one of our allowed servers."
        ),
        ALLOW,
    ),
    "nobody_follows": (
        say(
            "No one on that server follows the council or the project, so we did not send the item."
        ),
        say("Ask them to follow our council. A Moothall server then reads our full list."),
    ),
    "followed_later": (
        say("They followed after the item was published, so their server reads it from our list."),
        say(
            "If their server does not run Moothall, they can find the item by "
            "searching there for its address."
        ),
    ),
    "never_sent": (
        say(
            "The item was published before that server could be sent anything, or "
            "so long ago that we have no record of it."
        ),
        say(
            "Moothall servers find the item within a few hours. For any other "
            "server, change the item so that it is sent."
        ),
    ),
    "fetched": (say("The server fetched the item from us."), NOTHING),
    "delivered": (
        say("The item was delivered, and the server accepted it."),
        say("If that server does not show the item, ask its operator to check Received."),
    ),
    "waiting": (say("The next attempt is due."), NOTHING),
    "trying": (say("The last attempt failed. We will retry automatically."), NOTHING),
    "refusing": (
        say(
            "Their server refused the item. We will retry automatically, up to 3 attempts in total."
        ),
        say("Ask the operator of that server to allow ours."),
    ),
    "behind": (say("An earlier message about the same item must be delivered first."), NOTHING),
    "unreachable": (
        say("The server is not responding. We will retry automatically."),
        say(
            "You do not need to do anything unless this continues. If it does, ask "
            "the operator of that server whether it is running."
        ),
    ),
    "refused": (say("Their server refused every attempt."), ASK_TO_ALLOW),
    "no_address": (
        say("Their server says that no one receives messages at that address."),
        say("Ask the operator of that server for the council’s current address."),
    ),
    "too_old": (
        say("The server did not respond for 7 days, so we stopped trying."),
        ASK_WHETHER_RUNNING,
    ),
    "stopped": (say("An operator of our server cancelled the delivery."), TRY_AGAIN),
    "was_blocked": (say("The delivery was cancelled when the server was blocked."), TRY_AGAIN),
    "gave_up": (
        say("We stopped trying after the last response. You can retry."),
        say("Ask the operator of that server what the response means, then retry."),
    ),
    "taking_back": (
        say(
            "We no longer share the item with that server. We asked it to delete "
            "its copy, and it has not responded."
        ),
        NOTHING,
    ),
    "taken_back": (
        say("We no longer share the item with that server. It confirmed that it deleted its copy."),
        say("The owner can change who can see the item."),
    ),
    "asked_to_delete": (
        say("We asked the server to delete its copy, and it has not responded yet."),
        NOTHING,
    ),
    "deleted": (say("The server confirmed that it deleted its copy."), NOTHING),
    # Of what another server has and this one has not.
    "not_here": (
        say("We have nothing at this address."),
        say("Copy the address from the item’s page."),
    ),
    "here_blocked": (
        say("Their server is blocked, so we do not accept anything from it."),
        say("If we should have the item, go to Servers and unblock their server."),
    ),
    "here_not_allowed": (
        say(
            "Their server is not one of our allowed servers, so we do not accept anything from it."
        ),
        say("If we should have the item, go to Servers and allow their server."),
    ),
    "came": (
        say("We received a message about the item but did not keep it."),
        say("Go to Received to see what happened to the message."),
    ),
    "not_followed": (
        say(
            "Our council does not follow anyone on that server, so we do not keep anything from it."
        ),
        say("Go to Councils and follow the council."),
    ),
    "not_told": (
        say("Our council follows theirs, but their server has not sent us the item."),
        say(
            "Run the command “moothall sync now” on our server. If the item is "
            "still missing, ask the operator of their server why."
        ),
    ),
    "refused_here": (
        say("We refused messages from their server."),
        say("Go to Refused to see why, then contact the operator of their server."),
    ),
}


def words(story: Story) -> Saying:
    """A sentence about one host."""
    return SAID[story.reason][0]


def next_step(story: Story) -> Saying:
    """What an operator can do about it."""
    return SAID[story.reason][1]
