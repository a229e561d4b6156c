"""Reports that other servers pass on."""

from sqlalchemy import select

from node.federating import actors
from node.moderation import service
from node.moderation.matters import known
from node.moderation.models import Report
from node.runtime import Handlers, NotForUsError, Received, UnitOfWork
from node.text import one_line
from node.wording import say


def receive_flag(work: UnitOfWork, received: Received) -> None:
    """Somebody elsewhere reports what is here; of what they name, only what we know is kept."""
    activity, session = received.activity, work.session
    reporter = actors.by_uri(session, activity.actor)
    about = known(session, activity.objects[: service.MOST_OBJECTS])
    if reporter is None or not about:
        raise NotForUsError(say("the reported content is not on this server"))
    if session.scalar(select(Report.id).where(Report.uri == activity.id)) is not None:
        return
    words = one_line(activity.content, service.LONGEST_WORDS)
    try:
        service.file(
            work,
            uri=activity.id,
            host=reporter.host,
            about=about,
            words=words,
            reporter=reporter,
        )
    except service.TooManyReportsError as error:
        raise NotForUsError(say("too many reports from that server are waiting")) from error
    work.audit("report.receive", activity.id)


HANDLERS: Handlers = {("Flag", ""): receive_flag}
