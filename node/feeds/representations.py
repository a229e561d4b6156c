"""A project, an update and a council as plain JSON. Pure.

One description for the list, for the API and for whoever is told of a change.
"""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from node.councils.models import Council
from node.projects.details import dump
from node.projects.models import Project
from node.updates.models import Update

Description = dict[str, Any]


def format_moment(at: datetime | None) -> str | None:
    """A moment as RFC 3339 writes it, to the second."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def format_date(on: date | None) -> str | None:
    return on.isoformat() if on else None


def describe_council(one: Council) -> Description:
    return {
        "id": one.actor.uri,
        "name": one.name,
        "url": one.actor.url,
        "gss_code": one.gss_code,
        "is_ours": one.is_local,
    }


def describe_in_list(project: Project, page: str, licence: str | None) -> Description:
    """What a list says of a project. `page` is its address at this node, `licence` that of the
    licence of its texts.
    """
    return {
        "token": project.token,
        "id": project.uri,
        "url": project.url,
        "page": page,
        "title": project.title,
        "summary": project.summary,
        "phase": project.phase.value,
        "language": project.language,
        "visibility": project.visibility.value,
        "state": project.state.value,
        "council": describe_council(project.council),
        "published": format_moment(project.published_at),
        "changed": format_moment(project.changed_at),
        "version": project.version,
        "freshness": project.freshness.value,
        "confirmed_on": format_date(project.confirmed_on),
        "review_on": format_date(project.review_on),
        "content_licence": licence,
        "details": dump(project.details),
    }


def describe_project(project: Project, page: str, licence: str | None) -> Description:
    """All that is said of a project. `brief` is Markdown, and only of projects of ours."""
    return describe_in_list(project, page, licence) | {
        "brief": project.brief,
        "content": project.content,
        "translations": project.translations,
    }


def describe_update(one: Update, page: str) -> Description:
    """`changed`, `next` and `needs` are Markdown, and only of updates of ours."""
    return {
        "token": one.token,
        "id": one.uri,
        "url": one.url,
        "page": page,
        "project": one.project.uri,
        "language": one.language,
        "published": format_moment(one.published_at),
        "edited": format_moment(one.changed_at),
        "version": one.version,
        "content": one.content,
        "changed": one.changed,
        "next": one.next,
        "needs": one.needs,
    }


def describe_output(project: Project, number: int) -> Description:
    """One of the things that everybody gets back from a project."""
    one = project.outputs[number]
    return {
        "title": one.title,
        "about": one.about,
        "licence": one.licence,
        "url": one.url,
        "adopters": [
            {"name": each.name, "id": each.uri, "since": each.since and each.since.isoformat()}
            for each in one.adopters
        ],
        "project": project.uri,
        "project_title": project.title,
        "council": describe_council(project.council),
    }


# The columns of the table, in their order.
TABLE_COLUMNS = (
    *("title", "summary", "phase", "council", "start", "end", "dates estimated", "contract ends"),
    *("next assessment", "budget", "collaboration", "department", "contact", "contact email"),
    *("capability", "business area", "lgsl", "tags", "technologies", "skills", "website"),
    *("repository", "language", "visibility", "published", "changed", "version", "freshness"),
    *("review due", "content licence", "url", "page"),
)


def to_cells(project: Project, page: str, licence: str | None) -> dict[str, str]:
    """A project as one row of a table."""
    details = asdict(project.details)
    said = {
        "title": project.title,
        "summary": project.summary,
        "phase": project.phase.value,
        "council": project.council.name,
        "start": details["starts_on"],
        "end": details["ends_on"],
        "dates estimated": _dates_estimated(project),
        "contract ends": details["contract_ends_on"],
        "next assessment": details["assessment_on"],
        "budget": details["budget"],
        "collaboration": details["collaboration"],
        "department": details["department"],
        "contact": details["contact_name"],
        "contact email": details["contact_email"],
        "capability": details["capability"],
        "business area": details["business_area"],
        "lgsl": details["lgsl"],
        "tags": ", ".join(project.details.tags),
        "technologies": ", ".join(project.details.technologies),
        "skills": ", ".join(project.details.skills),
        "website": _link(project, "website"),
        "repository": _link(project, "repository"),
        "language": project.language,
        "visibility": project.visibility.value,
        "published": format_moment(project.published_at),
        "changed": format_moment(project.changed_at),
        "version": project.version if project.is_local else None,
        "freshness": project.freshness.value,
        "review due": format_date(project.review_on),
        "content licence": licence,
        "url": project.url,
        "page": page,
    }
    return {name: "" if value is None else str(value) for name, value in said.items()}


def _dates_estimated(project: Project) -> str:
    is_estimated = project.details.start_is_estimated or project.details.end_is_estimated
    return "yes" if is_estimated else ""


def _link(project: Project, kind: str) -> str:
    return next((link.url for link in project.details.links if link.kind == kind), "")
