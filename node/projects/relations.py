"""Relations between projects: what each project states about others, and others about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, bindparam, delete, exists, select
from sqlalchemy.orm import Session, aliased

from node.errors import InvalidInputError
from node.federating.identity import local_uris
from node.messages import msg
from node.projects.details import RelatedProject, RelationKind, is_web_url
from node.projects.models import Project, Relation
from node.projects.validation import ProjectInput
from node.runtime import UnitOfWork

MERGING_JOB = "project-merging"
# Relations by other projects that are shown on a page.
MAX_INCOMING = 50
SELECT_PROJECT_IDS = select(Project.id, Project.uri).where(
    Project.uri.in_(bindparam("uris", expanding=True))
)
DELETE_RELATIONS = (
    delete(Relation)
    .where(Relation.project_id.in_(bindparam("ids", expanding=True)))
    .execution_options(synchronize_session=False)
)


@dataclass(frozen=True)
class ShownRelation:
    """A relation as shown on a page. `by` is the project that states it.

    `other` is the other project, or None if it is not known here; `uri` is its id.
    """

    kind: RelationKind
    by: Project
    other: Project | None
    uri: str


def save_relations(
    work: UnitOfWork, relations_by_uri: Mapping[str, Sequence[RelatedProject]]
) -> None:
    """Replace the stored relations of the projects with these ids."""
    session = work.session
    ids_by_uri = {
        row.uri: row.id
        for row in session.execute(SELECT_PROJECT_IDS, {"uris": list(relations_by_uri)})
    }
    session.execute(DELETE_RELATIONS, {"ids": list(ids_by_uri.values())})
    rows = {
        (ids_by_uri[uri], str(related.kind), related.uri)
        for uri, all_related in relations_by_uri.items()
        for related in all_related
        if uri in ids_by_uri
    }
    if rows:
        session.add_all(
            Relation(project_id=project_id, kind=kind, uri=uri) for project_id, kind, uri in rows
        )
        session.flush()
        work.wake(MERGING_JOB)


@cache  # new aliases would each add a statement to SQLAlchemy's cache
def has_agreed_successor() -> ColumnElement[bool]:
    """That another project continues a project, as the councils of both state."""
    stated, successor, agreed = aliased(Relation), aliased(Project), aliased(Relation)
    return (
        exists()
        .where(stated.project_id == Project.id, stated.kind == RelationKind.merged_into.value)
        .where(successor.uri == stated.uri, agreed.project_id == successor.id)
        .where(agreed.uri == Project.uri, agreed.kind == RelationKind.supersedes.value)
    )


def is_continued_elsewhere(session: Session, project: Project) -> bool:
    """Whether another project continues `project`, as the councils of both state."""
    is_project = Project.id == project.id
    return session.scalar(select(Project.id).where(is_project, has_agreed_successor())) is not None


def resolve_relations(
    work: UnitOfWork, project_input: ProjectInput, project: Project | None = None
) -> ProjectInput:
    """`project_input` with page addresses of related projects replaced by their ids.

    Raises `InvalidInputError` for an unknown local address and for the project itself.
    """
    related, errors = [], {}
    for index, relation in enumerate(project_input.details.related):
        other = find_by_address(work, relation.uri)
        if other is None and _is_local_address(work, relation.uri):
            errors[f"related-{index}-uri"] = msg(
                "There is no project at this address. Check the address."
            )
        if other is not None and project is not None and other.id == project.id:
            errors[f"related-{index}-uri"] = msg("Enter the address of another project")
        related.append(replace(relation, uri=other.uri) if other else relation)
    if errors:
        raise InvalidInputError(msg("The project could not be saved."), errors)
    unique = {(relation.kind, relation.uri): relation for relation in related}
    return replace(
        project_input, details=replace(project_input.details, related=tuple(unique.values()))
    )


def find_by_address(work: UnitOfWork, address: str) -> Project | None:
    """The project with this id, or with a page at this address here or at its own council."""
    if not is_web_url(address):
        return None
    path = urlsplit(address).path
    token = path.removeprefix("/projects/").partition("/")[0]
    is_here = _is_local_address(work, address) and path.startswith("/projects/")
    condition = Project.token == token if is_here else Project.uri == address
    project = work.session.scalar(select(Project).where(condition))
    if project is None and not is_here:
        project = work.session.scalar(select(Project).where(Project.url == address).limit(1))
    return project


def _is_local_address(work: UnitOfWork, address: str) -> bool:
    return is_web_url(address) and urlsplit(address).netloc == work.settings.authority


def list_stated(
    session: Session, project: Project, visible: ColumnElement[bool]
) -> list[ShownRelation]:
    """What a project states about others. `visible` selects the projects that the reader may see.

    Others that are known here and that the reader may not see are left out.
    """
    is_related = Project.uri.in_([related.uri for related in project.details.related])
    known = set(session.scalars(select(Project.uri).where(is_related)))
    visible_by_uri = {
        other.uri: other for other in session.scalars(select(Project).where(is_related, visible))
    }
    return [
        ShownRelation(related.kind, project, visible_by_uri.get(related.uri), related.uri)
        for related in project.details.related
        if related.kind is not None and (related.uri in visible_by_uri or related.uri not in known)
    ]


def list_incoming(
    session: Session, project: Project, visible: ColumnElement[bool]
) -> list[ShownRelation]:
    """What other projects that the reader may see state about this one."""
    query = (
        select(Relation)
        .join(Project, Project.id == Relation.project_id)
        .where(Relation.uri == project.uri, Relation.project_id != project.id, visible)
        .order_by(Relation.id)
        .limit(MAX_INCOMING)
    )
    return [
        ShownRelation(RelationKind(row.kind), row.project, row.project, row.project.uri)
        for row in session.scalars(query)
    ]


def group_uri(project: Project) -> str:
    """The id of a project's actor, also of one that this node does not know."""
    return project.actor.uri if project.actor else local_uris.project_group(project.uri)
