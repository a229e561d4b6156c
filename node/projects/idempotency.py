"""Idempotency keys for new projects: a form that is sent twice creates one project."""

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import select

from node.people.models import User
from node.projects.models import Project, ProjectState, new_token
from node.projects.validation import ProjectInput, validate
from node.runtime import UnitOfWork


def issue_key() -> str:
    """A signed token for the project that a form will create. Others cannot forge one."""
    return str(_serializer().dumps(new_token()))


def read_key(text: str) -> str:
    """The token in a key that a form sends back; empty if this server did not sign it."""
    try:
        return str(_serializer().loads(text))
    except BadData:
        return ""


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), "new project")


def is_unused(work: UnitOfWork, token: str) -> bool:
    """Whether no project has the token. Locks the user's row, so that two sends cannot overlap."""
    work.session.execute(select(User.id).where(User.id == work.by.user_id).with_for_update())
    return bool(token) and not work.session.scalar(select(Project.id).where(Project.token == token))


def find_duplicate(work: UnitOfWork, token: str, project_input: ProjectInput) -> Project | None:
    """The project that was created with the token, if its text is the same."""
    entered = validate(project_input)
    project = work.session.scalar(
        select(Project).where(Project.token == token, Project.state != ProjectState.deleted)
    )
    is_same = project is not None and (project.title, project.summary, project.brief) == (
        entered.title,
        entered.summary,
        entered.brief,
    )
    return project if is_same else None
