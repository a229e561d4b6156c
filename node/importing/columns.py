"""Maps the column names of tables to the fields of a project. Pure.

Only letters and digits of a name are compared. The aliases of a field are in order of preference:
of two columns for one field, the first that is not empty is used.
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
# Fields whose columns are joined, and with what.
JOINED_FIELDS = {
    "tags": ", ",
    "skills": ", ",
    "technologies": ", ",
    "updates": "\n",
    "watchers": "\n",
    "contributors": "\n",
    "people": "\n",
}
# Bookkeeping of other programs, left out without a note.
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
# A Jira issue has its title in "Summary"; a Jira project is a group of projects in our sense.
JIRA_COLUMNS = {
    "summary": ("title", 0),
    "issuekey": ("id", 0),
    "projectname": ("tags", 0),
    "labels": ("tags", 1),
    "duedate": ("ends_on", 0),
}
JIRA_MARKER_COLUMNS = frozenset({"issuekey", "summary"})
# Columns that only the old Pipeline has; two of them identify one of its tables.
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
# Columns that together identify a table exported by Moothall.
EXPORT_MARKER_COLUMNS = frozenset({"freshness", "reviewdue", "page", "url"})
_FIELD_BY_ALIAS = {
    alias: (field, rank)
    for field, aliases in FIELD_ALIASES.items()
    for rank, alias in enumerate(aliases.split())
}


def normalise(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name[:200].casefold())


def find_field(name: str) -> str:
    """The field for a column of this name; "" for an unknown column."""
    return _FIELD_BY_ALIAS.get(normalise(name), ("", 0))[0]


@dataclass(frozen=True)
class ImportColumns:
    """The columns of one table.

    `fields` has, for each column, its field and the rank of its name among the aliases of the
    field; None for an unknown column.
    """

    names: Sequence[str]
    fields: Sequence[tuple[str, int] | None]
    keys: frozenset[str]

    @classmethod
    def from_names(cls, names: Iterable[str]) -> "ImportColumns":
        stripped = [name.strip() for name in names]
        aliases = [normalise(name) for name in stripped]
        keys = frozenset(aliases)
        field_by_alias = _FIELD_BY_ALIAS | (JIRA_COLUMNS if keys >= JIRA_MARKER_COLUMNS else {})
        return cls(stripped, [field_by_alias.get(alias) for alias in aliases], keys)

    @property
    def is_pipeline(self) -> bool:
        return len(self.keys & PIPELINE_MARKER_COLUMNS) >= 2

    @property
    def is_export(self) -> bool:
        return self.keys >= EXPORT_MARKER_COLUMNS

    @property
    def known_fields(self) -> Collection[str]:
        return {field[0] for field in self.fields if field}

    def parse_row(self, cells: Sequence[str]) -> "ImportRow":
        """The cells of a row by field, and those of unknown columns by column name."""
        by_field: dict[str, list[tuple[int, int, str]]] = {}
        unknown: dict[str, str] = {}
        for position, (name, field, cell) in enumerate(
            zip(self.names, self.fields, cells, strict=False)
        ):
            if not cell.strip():
                continue
            if field:
                by_field.setdefault(field[0], []).append((field[1], position, cell))
            elif normalise(name) not in IGNORED_COLUMNS:
                unknown[name] = cell.strip()
        row, duplicates = {}, []
        for name, ranked_cells in by_field.items():
            in_order = sorted(ranked_cells)
            if name in JOINED_FIELDS:
                row[name] = JOINED_FIELDS[name].join(cell for _, _, cell in in_order)
                continue
            first = row[name] = in_order[0][2]
            duplicates += [
                self.names[position]
                for _, position, cell in in_order[1:]
                if cell.strip() != first.strip()
            ]
        return ImportRow(row, unknown, tuple(duplicates))


@dataclass(frozen=True)
class ImportRow:
    """One row of a table: its cells by field, the cells of unknown columns by column name, and the
    names of columns left out because an earlier column gives the same field.
    """

    fields: Mapping[str, str]
    unknown: Mapping[str, str]
    duplicates: tuple[str, ...] = ()

    def get(self, field: str) -> str:
        return self.fields.get(field, "").strip()
