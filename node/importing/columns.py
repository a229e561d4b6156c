"""What the columns of tables are called, and which field of a project each is. Pure.

Letters and figures alone count in a name. The aliases of a field stand in their order: where two
columns are one field, the first that has something in it counts.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

FIELD_ALIASES = {
    "title": "title projecttitle projectname name project",
    "summary": "summary shortdescription",
    "description": "content contentashtml description htmldescription projectdescription"
    " descriptionaims descriptionandaims brief text",
    "phase": "phase projectphase projectstatus status stage",
    "starts_on": "startson startdate projectstartdate projectstart start",
    "ends_on": "endson enddate projectenddate projectend end targetenddate plannedenddate"
    " expectedenddate",
    "estimated": "datesestimated projectestimatedtime estimatedtime estimated",
    "assessment_on": "nextserviceassessmentdate nextserviceassessment assessmentdate assessmenton"
    " nextassessment",
    "contract_ends_on": "contractendson contractends contractenddate contractend",
    "technologies": "technologies technology programminglanguage projectlanguage",
    "language": "language textlanguage",
    "organisation": "organisation organization organisationname orgname council",
    "organisation_id": "orgid organisationid",
    "department": "department directorate",
    "contact_name": "contactname contact namedcontact owner projectmanager",
    "contact_email": "contactemail owneremail email projectmanageremail",
    "collaboration": "collaborationlevel levelofcollaboration collaboration",
    "budget": "fundingboundarytext budgetband budget fundingboundary funding",
    "tags": "tags rawtags",
    "skills": "skillswanted skills",
    "capability": "capability",
    "business_area": "businessarea",
    "lgsl": "lgsl lgslid",
    "website": "website",
    "repository": "repository",
    "updates": "statusupdates updates",
    "watchers": "watchers watcher",
    "contributors": "contributors contributor",
    "people": "relationships rellist rel",
    "versions": "versionhistory versions history",
    "url": "url uri address link",
    "id": "id pageid projectid reference projectreference ref",
    "visibility": "visibility",
    "version": "version",
}
# What several columns of one field say belongs together.
JOINED_FIELDS = {
    "tags": ", ",
    "skills": ", ",
    "technologies": ", ",
    "updates": "\n",
    "watchers": "\n",
    "contributors": "\n",
    "people": "\n",
}
# What the program said of itself: nobody misses it.
IGNORED_COLUMNS = frozenset(
    [
        "createdby",
        "createdon",
        "modifiedby",
        "modifiedon",
        "modifiedonwithoffset",
        "created",
        "creator",
        "editor",
        "edited",
        "lastupdated",
        "isnew",
        "previoustitle",
        "encodedtitle",
        "versionnumber",
        "islocked",
        "iscacheable",
        "pluginheadhtml",
        "pluginfooterhtml",
        "pluginprecontainer",
        "pluginpostcontainer",
        "objectid",
        "published",
        "changed",
        "freshness",
        "reviewdue",
        "contentlicence",
        "page",
    ]
)
# An issue of Jira has its title in "Summary"; what it calls a project holds many of ours.
JIRA_COLUMNS = {
    "summary": ("title", 0),
    "issuekey": ("id", 0),
    "projectname": ("tags", 0),
    "labels": ("tags", 1),
    "duedate": ("ends_on", 0),
}
JIRA_MARKER_COLUMNS = frozenset({"issuekey", "summary"})
# Columns that no other program than the old Pipeline has; two of them are one of its tables.
PIPELINE_MARKER_COLUMNS = frozenset(
    [
        "pageid",
        "fundingboundary",
        "fundingboundarytext",
        "rawtags",
        "encodedtitle",
        "previoustitle",
        "contentashtml",
        "projectestimatedtime",
    ]
)
# Columns of a table that a node exports.
EXPORT_MARKER_COLUMNS = frozenset({"freshness", "reviewdue", "page", "url"})
_FIELD_BY_ALIAS = {
    alias: (field, rank)
    for field, aliases in FIELD_ALIASES.items()
    for rank, alias in enumerate(aliases.split())
}


def normalise(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name[:200].casefold())


def field_for(name: str) -> str:
    """The field that a column of this name is; "" for none."""
    return _FIELD_BY_ALIAS.get(normalise(name), ("", 0))[0]


@dataclass(frozen=True)
class ImportColumns:
    """The columns of one table. `fields` has the field of each and its rank among the columns of
    that field; None for a column that is none.
    """

    names: Sequence[str]
    fields: Sequence[tuple[str, int] | None]
    keys: frozenset[str]

    @classmethod
    def from_names(cls, names: Iterable[str]) -> "ImportColumns":
        listed = [name.strip() for name in names]
        keys = [normalise(name) for name in listed]
        marks = frozenset(keys)
        known = _FIELD_BY_ALIAS | (JIRA_COLUMNS if marks >= JIRA_MARKER_COLUMNS else {})
        return cls(listed, [known.get(each) for each in keys], marks)

    @property
    def is_pipeline(self) -> bool:
        return len(self.keys & PIPELINE_MARKER_COLUMNS) >= 2

    @property
    def is_export(self) -> bool:
        return self.keys >= EXPORT_MARKER_COLUMNS

    @property
    def known_fields(self) -> Collection[str]:
        return {each[0] for each in self.fields if each}

    def parse_row(self, cells: Sequence[str]) -> "ImportRow":
        """The cells of a row by their fields, and those that are of none, by their names."""
        by_field: dict[str, list[tuple[int, int, str]]] = {}
        strange: dict[str, str] = {}
        for place, (name, field, cell) in enumerate(
            zip(self.names, self.fields, cells, strict=False)
        ):
            if not cell.strip():
                continue
            if field:
                by_field.setdefault(field[0], []).append((field[1], place, cell))
            elif normalise(name) not in IGNORED_COLUMNS:
                strange[name] = cell.strip()
        row, doubled = {}, []
        for name, given in by_field.items():
            in_order = sorted(given)
            if name in JOINED_FIELDS:
                row[name] = JOINED_FIELDS[name].join(cell for _, _, cell in in_order)
                continue
            first = row[name] = in_order[0][2]
            doubled += [
                self.names[place]
                for _, place, cell in in_order[1:]
                if cell.strip() != first.strip()
            ]
        return ImportRow(row, strange, tuple(doubled))


@dataclass(frozen=True)
class ImportRow:
    """One row of a table: its cells by field, those of no field by the names of their columns, and
    the columns that say a second time what is said.
    """

    fields: Mapping[str, str]
    unknown: Mapping[str, str]
    duplicates: tuple[str, ...] = ()

    def get(self, field: str) -> str:
        return self.fields.get(field, "").strip()
