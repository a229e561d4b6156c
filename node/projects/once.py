"""What is sent twice is made once: a form says beforehand which project it will make."""

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import select

from node.people.models import User
from node.projects.models import Project, State, new_token
from node.projects.writing import Text, check
from node.runtime import UnitOfWork


def sealed() -> str:
    """A name for the project that a form will make, which nobody else can choose."""
    return str(_seal().dumps(new_token()))


def opened(text: str) -> str:
    """The name in what a form sends; empty for what was not sealed here."""
    try:
        return str(_seal().loads(text))
    except BadData:
        return ""


def _seal() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), "new project")


def is_free(work: UnitOfWork, token: str) -> bool:
    """Whether no project has the name yet. What one person sends comes one after the other."""
    work.session.execute(select(User.id).where(User.email == work.by).with_for_update())
    return bool(token) and not work.session.scalar(select(Project.id).where(Project.token == token))


def made_before(work: UnitOfWork, token: str, text: Text) -> Project | None:
    """The project that the same form made, where it said the same."""
    given = check(text)
    found = work.session.scalar(
        select(Project).where(Project.token == token, Project.state != State.deleted)
    )
    says_it = found is not None and (found.title, found.summary, found.brief) == (
        given.title,
        given.summary,
        given.brief,
    )
    return found if says_it else None
