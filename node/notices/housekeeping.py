"""What was told has an end: the old, and of each person the oldest of what is too much."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from sqlalchemy import func, select

from node.db import now
from node.hourly import once_an_hour
from node.isolation import each
from node.mail import service as mail
from node.news.models import Happening
from node.notices.models import Notice
from node.pruning import prune, prune_surplus
from node.runtime import Node

JOB = "notices-housekeeping"
KEPT = timedelta(days=180)
MOST_OF_PERSON = 1_000


def work_off(node: Node) -> None:
    """The job, which tidies up once an hour."""
    once_an_hour(node, JOB, lambda: tidy(node))


def tidy(node: Node) -> None:
    """Delete what is too old or too much, of each kind."""
    steps: Mapping[str, Callable[[Node], object]] = {
        "emails": mail.prune,
        "notices": _prune_notices,
    }
    each(node, JOB, steps, lambda name: steps[name](node))


def _prune_notices(node: Node) -> None:
    prune(node, JOB, Notice, select(Notice.id).where(Notice.at < now() - KEPT))
    crowded = select(Notice.user_id).group_by(Notice.user_id)
    with node.reading() as session:
        people = session.scalars(crowded.having(func.count() > MOST_OF_PERSON)).all()
    for user_id in people:
        mine = select(Notice.id).where(Notice.user_id == user_id)
        prune_surplus(node, JOB, Notice, mine, Notice.id, MOST_OF_PERSON)
    told = Happening.state != Happening.WAITING
    is_told = select(Notice.id).where(Notice.happening_id == Happening.id).exists()
    prune(node, JOB, Happening, select(Happening.id).where(told, ~is_told))
