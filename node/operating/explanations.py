"""Words for the reasons in a `HostOutcome`, each with the operator's next step, for the pages and
the command line.
"""

from node.messages import Message, msg
from node.operating.delivery_reasons import HostOutcome

ADVICE_NOTHING = msg("You do not need to do anything.")
ADVICE_ASK_TO_ALLOW = msg(
    "Ask the operator of that server to allow your server, then retry the delivery."
)
ADVICE_ALLOW = msg("If that server should have the item, go to Servers and allow the server.")
ADVICE_RETRY = msg("If that server should have the item, retry the delivery.")
ADVICE_MODERATE = msg("Go to Moderation to decide what happens to the item.")
ADVICE_CHECK_SERVER = msg(
    "Ask the operator of that server whether it is running, then retry the "
    "delivery. When a Moothall server is running again, it fetches "
    "anything it missed."
)

# By reason: what happened, and what an operator can do.
EXPLANATIONS: dict[str, tuple[Message, Message]] = {
    "own": (msg("The server you entered is this server."), ADVICE_NOTHING),
    "from_there": (msg("The item was written on that server."), ADVICE_NOTHING),
    "not_ours": (
        msg("The item belongs to another council, so that council’s server sends it."),
        msg("To find out more, ask the operator of that council’s server."),
    ),
    "draft": (msg("The item has not been published."), msg("Publish the item.")),
    "private": (
        msg("Only your council can see the item, so we do not send it to any server."),
        msg("The owner can change who can see the item."),
    ),
    "held": (
        msg("A moderator has not approved the item yet, so we do not share it with other servers."),
        ADVICE_MODERATE,
    ),
    "hidden": (
        msg("A moderator hid the item, so we do not share it with other servers."),
        ADVICE_MODERATE,
    ),
    "blocked": (
        msg("The server is blocked, so we do not send anything to it."),
        msg("If that server should have the item, go to Servers and unblock the server."),
    ),
    "not_allowed": (
        msg("The server is not an allowed server, so we do not send anything to it."),
        ADVICE_ALLOW,
    ),
    "peers_only": (
        msg(
            "Only councils we work with can see the item, and that server is not an allowed server."
        ),
        ADVICE_ALLOW,
    ),
    "nobody_follows": (
        msg(
            "No one on that server follows the council or the project, so we did not send the item."
        ),
        msg(
            "Ask the council that runs that server to follow your council. If it "
            "is a Moothall server, it then reads your full list of projects."
        ),
    ),
    "followed_later": (
        msg(
            "They started following after the item was published, so their server "
            "reads it from your list of projects."
        ),
        msg(
            "If their server does not run Moothall, they can find the item by "
            "searching for its address on that server."
        ),
    ),
    "never_sent": (
        msg(
            "The item was published before we could send anything to that server, "
            "or so long ago that we have no record of sending it."
        ),
        msg(
            "Moothall servers find the item within a few hours. To send it to any "
            "other server, edit the item."
        ),
    ),
    "fetched": (msg("The server fetched the item from us."), ADVICE_NOTHING),
    "delivered": (
        msg("The item was delivered, and the server accepted it."),
        msg("If that server does not show the item, ask its operator to check Received."),
    ),
    "waiting": (msg("The next attempt is due."), ADVICE_NOTHING),
    "trying": (msg("The last attempt failed. We will retry automatically."), ADVICE_NOTHING),
    "refusing": (
        msg(
            "Their server refused the item. We will retry automatically, up to 3 attempts in total."
        ),
        msg("Ask the operator of that server to allow your server."),
    ),
    "behind": (
        msg("An earlier message about the same item must be delivered first."),
        ADVICE_NOTHING,
    ),
    "unreachable": (
        msg("The server is not responding. We will retry automatically."),
        msg(
            "You do not need to do anything unless this continues. If it does, ask "
            "the operator of that server whether it is running."
        ),
    ),
    "refused": (msg("Their server refused every attempt."), ADVICE_ASK_TO_ALLOW),
    "no_address": (
        msg("Their server says that no one receives messages at that address."),
        msg("Ask the operator of that server for the council’s current address."),
    ),
    "too_old": (
        msg("The server did not respond for 7 days, so we stopped trying."),
        ADVICE_CHECK_SERVER,
    ),
    "stopped": (msg("An operator of this server cancelled the delivery."), ADVICE_RETRY),
    "was_blocked": (msg("The delivery was cancelled when the server was blocked."), ADVICE_RETRY),
    "gave_up": (
        msg("We stopped trying after the last response. You can retry the delivery."),
        msg("Ask the operator of that server what the response means, then retry the delivery."),
    ),
    "taking_back": (
        msg(
            "We no longer share the item with that server. We asked it to delete "
            "its copy, but it has not responded yet."
        ),
        ADVICE_NOTHING,
    ),
    "taken_back": (
        msg("We no longer share the item with that server. It confirmed that it deleted its copy."),
        msg("The owner can change who can see the item."),
    ),
    "asked_to_delete": (
        msg("We asked the server to delete its copy, but it has not responded yet."),
        ADVICE_NOTHING,
    ),
    "deleted": (msg("The server confirmed that it deleted its copy."), ADVICE_NOTHING),
    # Reasons of `node.operating.missing_reasons`: another server's object that we lack.
    "not_here": (
        msg("There is nothing at this address on this server."),
        msg("Copy the address from the item’s page."),
    ),
    "here_blocked": (
        msg("Their server is blocked, so we do not accept anything from it."),
        msg("If this server should have the item, go to Servers and unblock their server."),
    ),
    "here_not_allowed": (
        msg("Their server is not an allowed server, so we do not accept anything from it."),
        msg("If this server should have the item, go to Servers and allow their server."),
    ),
    "came": (
        msg("We received a message about the item but did not keep it."),
        msg("Go to Received to see what happened to the message."),
    ),
    "not_followed": (
        msg(
            "Your council does not follow anyone on that server, so we do not keep "
            "anything from it."
        ),
        msg("Go to Councils and follow the council."),
    ),
    "not_told": (
        msg("Your council follows theirs, but their server has not sent us the item."),
        msg(
            "Run the command “moothall sync now” on this server. If the item is "
            "still missing, ask the operator of their server why."
        ),
    ),
    "refused_here": (
        msg("We refused messages from their server."),
        msg("Go to Refused to see why, then contact the operator of their server."),
    ),
}


def explain(outcome: HostOutcome) -> Message:
    """What happened, in one or two sentences."""
    return EXPLANATIONS[outcome.reason][0]


def next_step(outcome: HostOutcome) -> Message:
    """What an operator can do about the outcome."""
    return EXPLANATIONS[outcome.reason][1]
