"""What is sent twice is made once: a form says beforehand which project it will make."""

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import select

from node.people.models import User
from node.projects.models import Project, ProjectState, new_token
from node.projects.validation import ProjectInput, validate
from node.runtime import UnitOfWork


def issue_key() -> str:
    """A name for the project that a form will make, which nobody else can choose."""
    return str(_serializer().dumps(new_token()))


def read_key(text: str) -> str:
    """The name in what a form sends; empty for what was not sealed here."""
    try:
        return str(_serializer().loads(text))
    except BadData:
        return ""


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), "new project")


def is_unused(work: UnitOfWork, token: str) -> bool:
    """Whether no project has the name yet. What one person sends comes one after the other."""
    work.session.execute(select(User.id).where(User.email == work.by).with_for_update())
    return bool(token) and not work.session.scalar(select(Project.id).where(Project.token == token))


def find_duplicate(work: UnitOfWork, token: str, text: ProjectInput) -> Project | None:
    """The project that the same form made, where it said the same."""
    given = validate(text)
    found = work.session.scalar(
        select(Project).where(Project.token == token, Project.state != ProjectState.deleted)
    )
    says_it = found is not None and (found.title, found.summary, found.brief) == (
        given.title,
        given.summary,
        given.brief,
    )
    return found if says_it else None
