"""Projects, updates, councils and outputs as JSON documents and table rows. Pure.

The project list, the API and webhooks share these documents.
"""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from node.councils.models import Council
from node.projects.details import dump
from node.projects.models import Project
from node.updates.models import Update

JsonObject = dict[str, Any]


def format_moment(at: datetime | None) -> str | None:
    """A time in UTC after RFC 3339, to the second."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def format_date(on: date | None) -> str | None:
    return on.isoformat() if on else None


def describe_council(council: Council) -> JsonObject:
    return {
        "id": council.actor.uri,
        "name": council.name,
        "url": council.actor.url,
        "gss_code": council.gss_code,
        "is_ours": council.is_local,
    }


def describe_listed_project(project: Project, page: str, licence: str | None) -> JsonObject:
    """A project in a list. `page` is the URL of its page on this server, `licence` that of its
    texts' licence.
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


def describe_project(project: Project, page: str, licence: str | None) -> JsonObject:
    """A project with all fields. `brief` is Markdown, and empty for other councils' projects."""
    return describe_listed_project(project, page, licence) | {
        "brief": project.brief,
        "content": project.content,
        "translations": project.translations,
    }


def describe_update(update: Update, page: str) -> JsonObject:
    """An update. `changed`, `next` and `needs` are Markdown, and empty for other councils'."""
    return {
        "token": update.token,
        "id": update.uri,
        "url": update.url,
        "page": page,
        "project": update.project.uri,
        "language": update.language,
        "published": format_moment(update.published_at),
        "edited": format_moment(update.changed_at),
        "version": update.version,
        "content": update.content,
        "changed": update.changed,
        "next": update.next,
        "needs": update.needs,
    }


def describe_output(project: Project, number: int) -> JsonObject:
    """The output at index `number` of a project."""
    output = project.outputs[number]
    return {
        "title": output.title,
        "about": output.about,
        "licence": output.licence,
        "url": output.url,
        "adopters": [
            {
                "name": adopter.name,
                "id": adopter.uri,
                "since": adopter.since and adopter.since.isoformat(),
            }
            for adopter in output.adopters
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


def to_table_row(project: Project, page: str, licence: str | None) -> dict[str, str]:
    """A project as one row of a table, by `TABLE_COLUMNS`."""
    details = asdict(project.details)
    cells = {
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
        "website": _find_link(project, "website"),
        "repository": _find_link(project, "repository"),
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
    return {name: "" if value is None else str(value) for name, value in cells.items()}


def _dates_estimated(project: Project) -> str:
    is_estimated = project.details.start_is_estimated or project.details.end_is_estimated
    return "yes" if is_estimated else ""


def _find_link(project: Project, kind: str) -> str:
    return next((link.url for link in project.details.links if link.kind == kind), "")
