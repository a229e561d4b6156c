"""The rooms of the node, lower ones first: events are heard, and sections shown, in order."""

from collections.abc import Sequence

from node.account.room import ROOM as ACCOUNT
from node.conversations.room import ROOM as CONVERSATIONS
from node.councils.room import ROOM as COUNCILS
from node.desk.room import ROOM as DESK
from node.drafts.room import ROOM as DRAFTS
from node.evidence.room import ROOM as EVIDENCE
from node.federating.room import ROOM as FEDERATING
from node.feeds.room import ROOM as FEEDS
from node.freshness.room import ROOM as FRESHNESS
from node.handover.room import ROOM as HANDOVER
from node.history.room import ROOM as HISTORY
from node.importing.room import ROOM as IMPORTING
from node.mail.room import ROOM as MAIL
from node.moderation.room import ROOM as MODERATION
from node.notifications.room import ROOM as NOTIFICATIONS
from node.officers.room import ROOM as OFFICERS
from node.operating.room import ROOM as OPERATING
from node.passwords.room import ROOM as PASSWORDS
from node.people.room import ROOM as PEOPLE
from node.plugin_admin.room import ROOM as PLUGIN_ADMIN
from node.plugin_documents.room import ROOM as PLUGIN_DOCUMENTS
from node.portfolio.room import ROOM as PORTFOLIO
from node.projects.room import ROOM as PROJECTS
from node.rest.room import ROOM as REST
from node.room import Room
from node.same_need.room import ROOM as SAME_NEED
from node.search.room import ROOM as SEARCH
from node.services.room import ROOM as SERVICES
from node.sync.room import ROOM as SYNC
from node.unsaved.room import ROOM as UNSAVED
from node.updates.room import ROOM as UPDATES
from node.web.room import ROOM as WEB
from node.webhooks.room import ROOM as WEBHOOKS

ROOMS: Sequence[Room] = (
    FEDERATING,
    PEOPLE,
    UNSAVED,
    MAIL,
    COUNCILS,
    ACCOUNT,
    PASSWORDS,
    SERVICES,
    PROJECTS,
    UPDATES,
    PLUGIN_DOCUMENTS,
    HISTORY,
    SAME_NEED,
    DRAFTS,
    HANDOVER,
    IMPORTING,
    FRESHNESS,
    SYNC,
    CONVERSATIONS,
    NOTIFICATIONS,
    SEARCH,
    FEEDS,
    WEBHOOKS,
    REST,
    OFFICERS,
    DESK,
    MODERATION,
    OPERATING,
    PORTFOLIO,
    EVIDENCE,
    PLUGIN_ADMIN,
    WEB,
)
