"""Why a host has something of ours, or has not, or why we have not something of its, in words and
with the next step: for the pages and the command line.
"""

from node.operating.reasons import Story
from node.wording import Saying, say

NOTHING = say("Nothing.")
ASK_TO_ALLOW = say("Ask its operator to allow this server, then try again.")
ALLOW = say("Allow it under Servers, if it should have it.")
TRY_AGAIN = say("Try again, if it should have it.")
TO_MODERATE = say("Decide about it under Moderation.")
ASK_WHETHER_RUNNING = say(
    "Ask its operator whether it runs, then try again. A Moothall server finds by itself what it"
    " missed, once it is back."
)

# What became of it, and what an operator can do.
SAID: dict[str, tuple[Saying, Saying]] = {
    "own": (say("That is this server."), NOTHING),
    "from_there": (say("It was written there."), NOTHING),
    "not_ours": (
        say("It is another council’s: its own server sends it."),
        say("Ask the operator of that server."),
    ),
    "draft": (say("It has not been published."), say("Publish it.")),
    "private": (
        say("It is private to our council, so it is sent to nobody."),
        say("Its owner can choose to show it to others."),
    ),
    "held": (say("A moderator has not let it be seen yet, so it is not passed on."), TO_MODERATE),
    "hidden": (say("A moderator took it off, so it is not passed on."), TO_MODERATE),
    "blocked": (
        say("The server is blocked, so nothing is sent to it."),
        say("Take the block back under Servers, if it should have it."),
    ),
    "not_allowed": (
        say("The server is not on the allow-list, so nothing is sent to it."),
        ALLOW,
    ),
    "peers_only": (
        say("It is for the councils we work with, and this server is not on our list of them."),
        ALLOW,
    ),
    "nobody_follows": (
        say("Nobody there follows the council or the project, so it was not sent."),
        say("Ask them to follow the council: a Moothall server then reads all of our list."),
    ),
    "followed_later": (
        say(
            "They began to follow after it was published, so their server reads it from our"
            " list itself."
        ),
        say("If their server is no Moothall, they find it by searching there for its address."),
    ),
    "never_sent": (
        say(
            "It was published before this server could be sent anything, or so long ago that"
            " nothing is kept of it."
        ),
        say("A Moothall server finds it within hours. For others, change it: then it is sent."),
    ),
    "fetched": (say("The server read it from us itself."), NOTHING),
    "delivered": (
        say("Delivered, and accepted by the server."),
        say("If it is not shown there, its operator sees under Received what came of it."),
    ),
    "waiting": (say("The next try is due."), NOTHING),
    "trying": (say("The last try failed. It is tried again by itself."), NOTHING),
    "refusing": (
        say("Their server refused it. It is tried again by itself, three times in all."),
        say("Ask its operator to allow this server."),
    ),
    "behind": (say("Something older about the same thing has to be delivered first."), NOTHING),
    "unreachable": (
        say("The server does not answer. It is tried again by itself."),
        say("Nothing, unless that goes on: then ask its operator whether it runs."),
    ),
    "refused": (say("Their server refused it every time."), ASK_TO_ALLOW),
    "no_address": (
        say("Their server says that nobody receives anything at that address."),
        say("Ask its operator where the council is now."),
    ),
    "too_old": (say("Nobody answered for seven days, so it was given up."), ASK_WHETHER_RUNNING),
    "stopped": (say("An operator here gave it up."), TRY_AGAIN),
    "was_blocked": (say("It was given up when the server was blocked."), TRY_AGAIN),
    "gave_up": (
        say("Given up after the last answer. You can try again."),
        say("Ask its operator what the answer means, then try again."),
    ),
    "taking_back": (
        say("It is not for this server any more. It was asked to delete it, and has not answered."),
        NOTHING,
    ),
    "taken_back": (
        say("It is not for this server any more. The server acknowledged that it deleted it."),
        say("Its owner can choose to show it to others."),
    ),
    "asked_to_delete": (
        say("The server has been asked to delete it, and has not answered yet."),
        NOTHING,
    ),
    "deleted": (say("The server has acknowledged that it is deleted."), NOTHING),
    # Of what another server has and this one has not.
    "not_here": (
        say("There is nothing of ours at this address."),
        say("Copy the address from the page."),
    ),
    "here_blocked": (
        say("Their server is blocked here, so nothing is taken from it."),
        say("Take the block back under Servers, if we should have it."),
    ),
    "here_not_allowed": (
        say("Their server is not on our allow-list, so nothing is taken from it."),
        say("Allow it under Servers, if we should have it."),
    ),
    "came": (
        say("A message about it came, and it was not kept."),
        say("Read what came of the message, under Received."),
    ),
    "not_followed": (
        say("Our council follows nobody there, so nothing of theirs is kept."),
        say("Follow the council, under Councils."),
    ),
    "not_told": (
        say("Our council follows theirs, and their server has not told us of it."),
        say("Compare now, under Comparing. If it is missing then, ask their operator why."),
    ),
    "refused_here": (
        say("Messages of their server were refused here."),
        say("Read why under Refused, then ask their operator."),
    ),
}


def words(story: Story) -> Saying:
    """A sentence about one host."""
    return SAID[story.reason][0]


def next_step(story: Story) -> Saying:
    """What an operator can do about it."""
    return SAID[story.reason][1]
