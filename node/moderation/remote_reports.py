"""Receives the reports that other servers forward (`Flag`)."""

from sqlalchemy import select

from federation.vocabulary.activity_types import FLAG
from node.federating.identity import actors
from node.messages import msg
from node.moderation import service
from node.moderation.models import Report
from node.moderation.reported_items import find_known
from node.runtime import Handlers, NotHandledError, ReceivedActivity, UnitOfWork
from node.text import one_line


def receive_flag(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Save a report from another server. Objects that are unknown here are left out.

    Raises `NotHandledError` if none is known, or if too many reports from the server are open.
    """
    activity, session = received.activity, work.session
    reporter = actors.by_uri(session, activity.actor)
    about = find_known(session, activity.objects[: service.MAX_OBJECTS])
    if reporter is None or not about:
        raise NotHandledError(msg("the reported content is not on this server"))
    if session.scalar(select(Report.id).where(Report.uri == activity.id)) is not None:
        return
    words = one_line(activity.content, service.MAX_LEN_TEXT)
    try:
        service.create_report(
            work,
            uri=activity.id,
            host=reporter.host,
            object_uris=about,
            text=words,
            reporter=reporter,
        )
    except service.TooManyReportsError as error:
        raise NotHandledError(msg("too many reports from that server are waiting")) from error
    work.audit("report.receive", activity.id)


HANDLERS = Handlers({(FLAG, ""): receive_flag})
