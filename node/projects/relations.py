"""How projects are related: what each says of others, and who says something of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, bindparam, delete, exists, select
from sqlalchemy.orm import Session, aliased

from node.errors import InvalidInputError
from node.federating import local_uris
from node.messages import msg
from node.projects.details import RelatedProject, RelationKind, is_web_url
from node.projects.models import Project, Relation
from node.projects.validation import ProjectInput
from node.runtime import UnitOfWork

MERGING_JOB = "project-merging"
# Of one project so many say something are shown.
MAX_INCOMING = 50
PROJECT_IDS = select(Project.id, Project.uri).where(
    Project.uri.in_(bindparam("uris", expanding=True))
)
DELETE_RELATIONS = (
    delete(Relation)
    .where(Relation.project_id.in_(bindparam("ids", expanding=True)))
    .execution_options(synchronize_session=False)
)


@dataclass(frozen=True)
class ShownRelation:
    """A relation as a page shows it. `by` is the project whose council says so.

    `other` is the other project; of one that this node does not know, its id is all there is.
    """

    kind: RelationKind
    by: Project
    other: Project | None
    uri: str


def save_relations(work: UnitOfWork, said: Mapping[str, Sequence[RelatedProject]]) -> None:
    """Keep what the projects with these ids say of others now, in place of what they said."""
    session = work.session
    by_uri = {row.uri: row.id for row in session.execute(PROJECT_IDS, {"uris": list(said)})}
    session.execute(DELETE_RELATIONS, {"ids": list(by_uri.values())})
    rows = {
        (by_uri[uri], str(related.kind), related.uri)
        for uri, all_related in said.items()
        for related in all_related
        if uri in by_uri
    }
    if rows:
        session.add_all(
            Relation(project_id=project_id, kind=kind, uri=uri) for project_id, kind, uri in rows
        )
        session.flush()
        work.wake(MERGING_JOB)


@cache  # each alias that is made anew would stay in memory with every statement that has it
def has_agreed_successor() -> ColumnElement[bool]:
    """That a project goes on in another: its council says so, and the other's has agreed."""
    said, second, agreed = aliased(Relation), aliased(Project), aliased(Relation)
    return (
        exists()
        .where(said.project_id == Project.id, said.kind == RelationKind.merged_into.value)
        .where(second.uri == said.uri, agreed.project_id == second.id)
        .where(agreed.uri == Project.uri, agreed.kind == RelationKind.supersedes.value)
    )


def is_continued_elsewhere(session: Session, project: Project) -> bool:
    """Whether it goes on in another, and the councils of both say so."""
    this = Project.id == project.id
    return session.scalar(select(Project.id).where(this, has_agreed_successor())) is not None


def resolve_relations(
    work: UnitOfWork, text: ProjectInput, project: Project | None = None
) -> ProjectInput:
    """`text` with the id of each project that was named by the address of its page.

    Raises `InvalidInputError` for the project itself.
    """
    related, wrong = [], {}
    for place, each in enumerate(text.details.related):
        found = find_by_address(work, each.uri)
        if found is None and _is_local_address(work, each.uri):
            wrong[f"related-{place}-uri"] = msg("There is no project at this address")
        if found is not None and project is not None and found.id == project.id:
            wrong[f"related-{place}-uri"] = msg("Enter the address of another project")
        related.append(replace(each, uri=found.uri) if found else each)
    if wrong:
        raise InvalidInputError(msg("The project could not be saved."), wrong)
    unique = {(each.kind, each.uri): each for each in related}
    return replace(text, details=replace(text.details, related=tuple(unique.values())))


def find_by_address(work: UnitOfWork, address: str) -> Project | None:
    """The project with this id, or with this page here or at its own council."""
    if not is_web_url(address):
        return None
    path = urlsplit(address).path
    token = path.removeprefix("/projects/").partition("/")[0]
    is_here = _is_local_address(work, address) and path.startswith("/projects/")
    wanted = Project.token == token if is_here else Project.uri == address
    found = work.session.scalar(select(Project).where(wanted))
    if found is None and not is_here:
        found = work.session.scalar(select(Project).where(Project.url == address).limit(1))
    return found


def _is_local_address(work: UnitOfWork, address: str) -> bool:
    return is_web_url(address) and urlsplit(address).netloc == work.settings.authority


def list_stated(
    session: Session, project: Project, visible: ColumnElement[bool]
) -> list[ShownRelation]:
    """What a project says of others. `visible`: what of the others its reader may see; of those
    that are known here and that the reader may not see, nothing is shown.
    """
    those = Project.uri.in_([each.uri for each in project.details.related])
    known = set(session.scalars(select(Project.uri).where(those)))
    seen = {other.uri: other for other in session.scalars(select(Project).where(those, visible))}
    return [
        ShownRelation(each.kind, project, seen.get(each.uri), each.uri)
        for each in project.details.related
        if each.kind is not None and (each.uri in seen or each.uri not in known)
    ]


def list_incoming(
    session: Session, project: Project, visible: ColumnElement[bool]
) -> list[ShownRelation]:
    """What other projects that the reader may see say of this one."""
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
    """The id of a project's actor, at whichever node of ours it lives."""
    return project.actor.uri if project.actor else local_uris.project_group(project.uri)
