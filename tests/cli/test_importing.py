"""`moothall import`: every format, completely or not at all, and without duplicates."""

import os
from pathlib import Path

import pytest
from sqlalchemy import select

from node.federating.models import OutboxActivity
from node.projects import service as projects_of
from node.projects.models import Project, ProjectState
from node.testing.nodes import Nodes, TestNode
from node.testing.requirements import end_as_not_run
from node.updates.models import Update
from tests.cli.conftest import Command, CommandResult

SHARED = Path(
    os.environ.get("MOOTHALL_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data"
)
FOLDER = SHARED / "imports"
REAL = sorted(path for path in FOLDER.glob("*/*") if path.suffix != ".md")
# The errors of the real files that cannot be read, as printed.
UNREADABLE = {
    "bforben-civic-json.json": "not valid JSON: line 20",
    "civictechdc-ancfinder.json": "not valid JSON: line 7",
    "localgovdigital-umbraco.json": "not valid JSON: line 10",
    "matmoore-govreposearch.json": "not valid JSON: line 24",
    "cfa-adopt-a-hydrant.json": "the project has no name or description",
    "guildford-web-elmah.json": "the project has no name or description",
    "liverpool-somebody-should.json": "the project has no name or description",
    "lichfield-ratemyplace.json": "the project has no description",
    "conduction-openpdc.yaml": "the project has no description",
    "parser-file_encoding.yml": "not UTF-8 text: byte",
    "parser-invalid_yaml.yml": "not valid YAML: line 38",
    "parser-mostly_empty.yml": "the project has no name or description",
}
BIN = """publiccodeYmlVersion: "0.5.0"
name: Bin days
url: https://github.com/example/bins.git
landingURL: https://bins.example
softwareVersion: 1.2
releaseDate: 2026-03-01
platforms: [web]
categories: [waste, open data]
developmentStatus: beta
softwareType: standalone/web
usedBy: [Brackwell Council, Cray Valley Council]
description:
  en:
    shortDescription: Says when bins are emptied.
    longDescription: "For **every** household."
    features: [Reminders, Calendars]
    documentation: https://docs.bins.example
  cy:
    localisedName: Dyddiau bin
    shortDescription: Yn dweud pryd mae biniau'n cael eu gwagio.
legal: {license: MIT}
maintenance:
  type: internal
  contacts: [{name: Mair Puw, email: mair@bins.example, affiliation: Digital}]
dependsOn: {open: [{name: PostgreSQL}, {name: Python}]}
"""


@pytest.fixture(scope="module")
def real() -> list[Path]:
    if not REAL:
        end_as_not_run(f"the real files in {FOLDER}")
    return REAL


@pytest.fixture
def council(nodes: Nodes, moothall: Command, monkeypatch: pytest.MonkeyPatch) -> TestNode:
    """A council of its own for each test."""
    one = nodes.start("aldermoor")
    for name in ("base_url", "database_url", "secret_key"):
        monkeypatch.setenv(f"MOOTHALL_{name.upper()}", str(getattr(one.node.settings, name)))
    return one


def lines(result: CommandResult) -> dict[str, str]:
    """The line printed for each file, by its name."""
    assert result.err == ""
    by_name = {}
    for line in result.out.splitlines():
        name, _, words = line.partition(": ")
        by_name[Path(name).name] = words
    return by_name


def projects(one: TestNode) -> dict[str, Project]:
    with one.reading() as session:
        by_name = session.scalars(select(Project)).all()
        session.expunge_all()
    return {each.title: each for each in by_name}


def write_file(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def test_every_real_file_is_imported_or_has_one_line_with_its_error(
    moothall: Command, council: TestNode, real: list[Path]
) -> None:
    result = moothall("import", *real)
    assert result.code == 1  # some cannot be read
    file_lines = lines(result)
    assert set(file_lines) == {path.name for path in real}
    for name, line in file_lines.items():
        if name in UNREADABLE:
            assert line.startswith("not imported: "), name
            assert UNREADABLE[name] in line
        else:
            # Two files describe one repository; the second does not change the project.
            assert line.startswith(("saved as a draft: ", "already here but different")), name
    kept = projects(council)
    drafts = [line for line in file_lines.values() if line.startswith("saved as a draft: ")]
    assert len(kept) == len(drafts)
    assert {each.state for each in kept.values()} == {ProjectState.draft}
    abacus = kept["Abacus"]
    assert abacus.summary.startswith("Software for tallying election results")
    assert abacus.phase.value == "live"
    assert "written in “nl”" in file_lines["amsterdam-signals-frontend.yml"]


def test_importing_the_real_files_again_creates_nothing(
    moothall: Command, council: TestNode, real: list[Path]
) -> None:
    good = [path for path in real if path.name not in UNREADABLE and "parser" not in path.name]
    moothall("import", *good)
    before = projects(council)
    again = moothall("import", *good)
    assert again.code == 0
    for line in lines(again).values():
        assert line.startswith("already here and the same: ")
    after = projects(council)
    assert {one.version for one in after.values()} == {1}
    assert set(after) == set(before)


def test_publiccode_is_imported_as_a_whole_project(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    result = moothall("import", write_file(tmp_path, "publiccode.yml", BIN))
    assert result.code == 0
    project = projects(council)["Bin days"]
    assert project.uri in result.out
    assert project.summary == "Says when bins are emptied."
    assert "For **every** household." in project.brief
    assert "- Reminders\n- Calendars" in project.brief
    assert project.translations["cy"]["title"] == "Dyddiau bin"
    details = project.details
    assert (details.contact_name, details.department) == ("Mair Puw", "Digital")
    assert details.tags == ("waste", "open data")
    assert details.technologies == ("PostgreSQL", "Python")
    assert [(link.kind, link.url) for link in details.links][:2] == [
        ("repository", "https://github.com/example/bins.git"),
        ("website", "https://bins.example"),
    ]
    (output,) = details.outputs
    assert (output.licence, output.title) == ("MIT", "Bin days")
    assert [each.name for each in output.adopters] == ["Brackwell Council", "Cray Valley Council"]


def test_a_changed_file_updates_its_project(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    moothall("import", write_file(tmp_path, "publiccode.yml", BIN))
    # The same repository, written another way, under another name.
    changed = BIN.replace("beta", "stable").replace("bins.git", "bins").replace("Bin d", "All d")
    file = write_file(tmp_path, "other.yml", changed)
    result = moothall("import", "--publish", file)
    assert "already here but different, not changed without --update: Bin days" in result.out
    (project,) = projects(council).values()
    assert (project.phase.value, project.version) == ("beta", 1)
    result = moothall("import", "--update", file)
    assert "updated: All days" in result.out
    (project,) = projects(council).values()
    assert (project.phase.value, project.version) == ("live", 2)
    assert "already here and the same: All days" in moothall("import", "--update", file).out


def test_a_project_changed_here_is_not_updated(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    moothall("import", write_file(tmp_path, "publiccode.yml", BIN))
    with council.app.app_context(), council.work() as work:
        row = work.session.scalars(select(Project)).one()
        row.summary, row.version = "Changed by hand", row.version + 1
    result = moothall("import", "--update", tmp_path / "publiccode.yml")
    assert "already here and edited since, not changed" in result.out
    assert projects(council)["Bin days"].summary == "Changed by hand"


def test_a_project_with_the_same_name_is_not_duplicated(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    table = write_file(tmp_path, "a.csv", "Title,Summary,Phase\nBIN DAYS,Ours,live\n")
    moothall("import", table)
    result = moothall("import", write_file(tmp_path, "publiccode.yml", BIN))
    assert "with the title of an existing project" in result.out
    assert set(projects(council)) == {"BIN DAYS"}


def test_complete_projects_are_published(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    dutch = (
        BIN.replace("  en:", "  nl:").replace("bins.git", "vuilnis").replace("Bin days", "Afval")
    )
    dutch = dutch[: dutch.index("  cy:")] + dutch[dutch.index("legal:") :]
    result = moothall(
        "import",
        "--publish",
        write_file(tmp_path, "one.yml", BIN),
        write_file(tmp_path, "two.yml", dutch),
    )
    assert result.code == 0
    assert lines(result)["one.yml"].startswith("published: ")
    assert lines(result)["two.yml"].startswith("saved as a draft: ")


CIVIC = """{"name": "Somebody should", "description": "Says who should.", "status": "Production",
 "repository": "github.com/example/should", "tags": ["todo", {"tag": "issues"}],
 "needs": [{"need": "Ruby"}], "contact": [{"name": "Jo", "email": "not an address"}],
 "serviceCategories": [{"name": "Waste", "@id": "http://id.esd.org.uk/service/524"}],
 "owner": {"name": "Aldermoor"}, "licence": "MIT"}"""


def test_civic_json(moothall: Command, council: TestNode, tmp_path: Path) -> None:
    result = moothall("import", write_file(tmp_path, "civic.json", CIVIC))
    project = projects(council)["Somebody should"]
    assert project.phase.value == "live"
    assert project.details.tags == ("todo", "issues", "Waste")
    assert project.details.skills == ("Ruby",)
    assert project.details.lgsl == 524
    assert project.details.links[0].url == "https://github.com/example/should"
    assert project.details.contact_email == ""
    assert "contact not imported: “not an address” cannot be used" in result.out
    assert "not imported: licence" in result.out


PIPELINE_CSV = """Title, Organisation, Department, Owner, Owner email, Project start date, Project end date, Last updated

Waste portal, Aldermoor Borough Council, Digital, Ann Ash, ann@aldermoor.example, 12/03/2016, 01/02/2017, 03/03/2017
=1+1, Aldermoor Council, , , , 01/01/0001, , 
Elsewhere, Brackwell Council, , , , , ,
"""  # noqa: E501, W291 -- as it was exported
PIPELINE_XML = """<?xml version="1.0" encoding="utf-8"?>
<ArrayOfPageViewModel xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <PageViewModel>
    <Id>12</Id>
    <Content>&lt;h2&gt;Why&lt;/h2&gt;&lt;p&gt;It is &lt;b&gt;slow&lt;/b&gt;. Very.&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;</Content>
    <CreatedBy>ann</CreatedBy>
    <ProjectStart>2016-03-12T00:00:00</ProjectStart>
    <ProjectEnd>2017-02-01T00:00:00</ProjectEnd>
    <ProjectEstimatedTime>true</ProjectEstimatedTime>
    <ProjectStatus>Decommissioned</ProjectStatus>
    <ProjectLanguage>C#</ProjectLanguage>
    <OrgContactDetails><OrgName>Aldermoor</OrgName></OrgContactDetails>
    <OwnerEmail>ann@aldermoor.example</OwnerEmail>
    <CollaborationLevel>Open To Conversation</CollaborationLevel>
    <FundingBoundaryText>50-100k</FundingBoundaryText>
    <NextServiceAssessmentDate>2016-09-01T00:00:00</NextServiceAssessmentDate>
    <RawTags>waste,bins</RawTags>
    <Title>Slow things</Title>
    <StatusUpdates>
      <StatusUpdate><Date>2016-05-01</Date><Text>Went on</Text></StatusUpdate>
      <StatusUpdate><Date>2016-04-01</Date><Text>Began</Text></StatusUpdate>
      <StatusUpdate><Text>Nobody knows when</Text></StatusUpdate>
    </StatusUpdates>
    <RelList><Relationship><username>bob</username><approved>true</approved></Relationship></RelList>
  </PageViewModel>
</ArrayOfPageViewModel>
"""  # noqa: E501


def test_a_csv_export_of_pipeline(moothall: Command, council: TestNode, tmp_path: Path) -> None:
    file = write_file(tmp_path, "PipelineReports.csv", PIPELINE_CSV)
    result = moothall("import", file)
    assert result.code == 0
    assert "2 projects: 2 saved as a draft" in result.out
    assert "not imported without --organisation: 1 of other organisations" in result.out
    by_name = projects(council)
    assert set(by_name) == {"Waste portal", "=1+1"}
    details = by_name["Waste portal"].details
    assert (str(details.starts_on), str(details.ends_on)) == ("2016-03-12", "2017-02-01")
    assert (details.contact_name, details.department) == ("Ann Ash", "Digital")
    assert "2 already here and the same" in moothall("import", file).out
    other = moothall("import", "--organisation", "Brackwell", file)
    assert "saved as a draft: Elsewhere" in other.out
    none = moothall("import", "--organisation", "Cray", file)
    assert "the file has no projects from Cray, only from Aldermoor Borough Council" in none.out


def test_an_xml_export_of_pipeline(moothall: Command, council: TestNode, tmp_path: Path) -> None:
    file = write_file(tmp_path, "export.xml", PIPELINE_XML)
    result = moothall("import", file)
    project = projects(council)["Slow things"]
    assert project.brief == "## Why\n\nIt is **slow**. Very."
    assert project.summary == "It is slow."
    assert project.phase.value == "retired"
    details = project.details
    assert details.end_is_estimated
    assert details.budget == "50k-100k"
    assert details.collaboration == "open-to-conversation"
    assert str(details.assessment_on) == "2016-09-01"
    assert details.technologies == ("C#",)
    assert details.tags == ("waste", "bins")
    assert details.contact_name == "bob", "the contributor, where the file names no one else"
    assert "bob" not in result.out
    assert details.work_done == "## Earlier updates\n\n- Nobody knows when"
    assert "1 watcher or contributor recorded with the import" in result.out
    assert "1 update without a date added to “Work already done”" in result.out
    assert "already here and the same" in moothall("import", file).out
    with council.work() as work:
        projects_of.publish(work, projects_of.get_for_update(work.session, project.token))
    with council.reading() as session:
        rows = session.scalars(select(Update).order_by(Update.published_at)).all()
        file_lines = [(str(row.published_at.date()), row.changed) for row in rows]
        sent = session.scalars(select(OutboxActivity.type)).all()
    assert file_lines == [("2016-04-01", "Began"), ("2016-05-01", "Went on")]
    assert sent == ["Create"], "of the project, and of no update"
    page = council.visitor().visit(f"/projects/{project.token}").text
    assert page.index("Went on") < page.index("Began")


def test_a_file_with_one_invalid_row_is_not_imported(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    bad = write_file(tmp_path, "a.csv", "Title,Summary\nOne,First\n,Second\n")
    good = write_file(tmp_path, "b.csv", "Title;Summary\nThree;Third\n")
    result = moothall("import", bad, good)
    assert result.code == 1
    assert lines(result)["a.csv"] == "not imported: project 2 has no name"
    assert set(projects(council)) == {"Three"}


DEEP = b"publiccodeYmlVersion: 1\na: " + b"[" * 5_000
HOSTILE = {
    "laughs.yml": (
        b"publiccodeYmlVersion: 1\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "YAML aliases",
    ),
    "deep.yml": (DEEP, "nested too deeply"),
    "python.yml": (b"publiccodeYmlVersion: !!python/object/apply:os.system [id]", "no name"),
    "many.yml": (
        b"publiccodeYmlVersion: 1\na: [" + b"x," * 30_000 + b"]",
        "has too much data to be a list of projects",
    ),
    "long.yml": (
        b"publiccodeYmlVersion: 1\na: '" + b"x" * 200_000 + b"'",
        "must be 128KB or smaller",
    ),
    "huge.csv": (b"Title\n" + b"x" * 1_100_000, "must be 1024KB or smaller"),
    "deep.json": (b"[" * 100_000, "nested too deeply"),
    "number.json": (b'{"status": ' + b"9" * 10_000 + b', "tags": []}', "not valid JSON"),
    "entity.xml": (
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><title>&x;</title></a>',
        "document type declaration or entities",
    ),
    "laughs.xml": (
        b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><a><title>&b;</title></a>',
        "document type declaration or entities",
    ),
    "encoding.xml": (b'<?xml version="1.0" encoding="nonsense"?><a><title>x</title></a>', "XML"),
    "nul.csv": (b"Title,Summary\nOne\0,x\n", "NUL"),
    "nul.yml": (b"publiccodeYmlVersion: 1\nname: a\0b\n", "NUL"),
    "quote.csv": (b'Title,Summary\n"One,x\n', "not valid CSV"),
    "wide.csv": (b"Title\nOne,two,three\n", "more cells than the table has columns"),
    "headless.csv": (b"a,b\n1,2\n", "must have a column called “Title”"),
    "rows.csv": (b"Title,Summary\n" + b"a,b\n" * 2_001, "more than 2,000 projects"),
    "empty.yml": (b" \n", "is empty"),
    "picture.png": (b"\x89PNG\r\n\x1a\n", "not UTF-8"),
    "words.txt": (
        b"Only words",
        "must be publiccode.yml, civic.json, CSV, Pipeline XML or Markdown",
    ),
    "list.json": (b"[1, 2]", "a JSON file must be civic.json"),
}


def test_hostile_files_have_one_line_each(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    files = [write_file(tmp_path, name, data) for name, (data, _) in HOSTILE.items()]
    result = moothall("import", *files, tmp_path / "not-there.yml", tmp_path)
    file_lines = lines(result)
    assert result.code == 1
    assert len(result.out.splitlines()) == len(HOSTILE) + 2
    for name, (_, words) in HOSTILE.items():
        assert file_lines[name].startswith("not imported: "), name
        assert words in file_lines[name], (name, file_lines[name])
    assert (
        file_lines["not-there.yml"]
        == "not imported: the file cannot be read: No such file or directory"
    )
    assert projects(council) == {}
