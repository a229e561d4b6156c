"""`moothall import` with typical files: nothing is overwritten, merged or imported without a
request, and their content is imported correctly.
"""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from node.importing.models import ImportRecord
from node.projects import service as projects_of
from node.projects.models import Project
from node.testing.nodes import Nodes, TestNode
from tests.cli.conftest import Command
from tests.cli.test_importing import lines, projects, write_file

FIRST = "ID,Title,Summary,Phase\n1,Bin days,Residents look,Live\n2,Parking permits,Buy,Beta\n"
SECOND = "ID,Title,Summary,Phase\n1,Taxi licences,Drivers apply,Alpha\n2,School places,Apply,Beta\n"
PIPELINE = """<?xml version="1.0" encoding="utf-16"?>
<ArrayOfPageViewModel xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <PageViewModel><FundingBoundary>2</FundingBoundary>
    <FundingBoundaryText>£50k-£100k</FundingBoundaryText><Id>42</Id>
    <Content>Sensors say &lt;b&gt;when&lt;/b&gt; bins are full.&lt;h1&gt;Why&lt;/h1&gt;</Content>
    <ContentAsHtml xsi:nil="true"/><ProjectEnd>0001-01-01T00:00:00</ProjectEnd>
    <ProjectStatus>Alpha</ProjectStatus><ProjectLanguage>Non-dependant</ProjectLanguage>
    <orgID>12</orgID><Title>Bin sensors</Title></PageViewModel>
  <PageViewModel><Id>43</Id><Content>Drivers apply.</Content><ProjectStatus>Beta</ProjectStatus>
    <orgID>15</orgID><Title>Taxi ranks</Title></PageViewModel>
</ArrayOfPageViewModel>
"""
JIRA = """Summary,Issue key,Issue id,Status,Project key,Project name,Created,Due date,Labels,Labels
Book a collection,DIG-1,101,In Progress,DIG,Digital,14/Jul/25 3:42 PM,30/Sep/25 12:00 AM,waste,forms
Report a missed bin,DIG-2,102,Done,DIG,Digital,15/Jul/25 9:00 AM,,bins,
"""
DAYS = """Name,Description,Status,Start,End,Budget
Days one,Text.,Private beta,01-Apr-25,1st April 2026,£50k - £100k
Days two,Text.,Public Beta,01/04/25,31.03.2026,100000-250000
Days three,Text.,In progress,2025-04-05T00:00:00,2026/03/31,"£50,000 - £100,000"
Days four,Text.,,04/25/2025,Q1 2025/26,"£75,000"
"""
PUBLICCODE = """publiccodeYmlVersion: "0.4"
name: Bin lookup
url: https://github.com/example/lookup
landingURL: null
roadmap: ~
developmentStatus: beta
releaseDate: ~
description:
  en:
    localisedName: Bin lookup for everyone
    shortDescription: ~
    genericName: Looks bins up
legal: {license: ~}
maintenance: {contacts: [{name: ~, email: bo@example.org, phone: "01632 960001"}]}
usedBy: [%s, "~"]
""" % ", ".join(f"Council {number}" for number in [*range(35), 1, 2])  # noqa: UP031 -- it has braces
CIVIC = """{"name": "Text civic", "description": "Looks bins up", "status": "Beta",
"tags": "waste, forms", "contact": "bo@example.org", "owner": "Aldermoor",
"partners": [{"name": "Friends", "url": "https://friends.example", "email": "x@y.example"}],
"communityPartner": {"name": "x"}}"""
ONE_OF_PIPELINE = PIPELINE.partition("  <PageViewModel><Id>43")[0] + "</ArrayOfPageViewModel>"
WINDOWS = "---\ntitle: From Windows\nsummary: S\nphase: alpha\n---\n\n# Why\n\nB\n"
FILES: dict[str, str | bytes] = {
    "pipeline-one.xml": ONE_OF_PIPELINE,
    "jira.csv": JIRA,
    "lines.csv": "Title,Summary\nBook\x0bbulky waste,A\x85b\nCafé\u2028licences,Owners\x1capply\n",
    "crlf.md": WINDOWS.replace("\n", "\r\n"),
    "doubled.csv": "Title,Tags,Tags,Description,Description\nDoubled,a,b,Residents book.,\n",
    "days.csv": DAYS,
    "publiccode.yml": PUBLICCODE,
    "civic.json": CIVIC,
    "sep.csv": "sep=;\r\nTitle;Summary;Phase\r\nSeparated;S;Alpha\r\n",
    "headings.csv": 'Title,Summary,"Tags\n","Notes; of\nothers"\nHeaded,S,x,\n',
    "council.csv": "Project Name,Description / Aims,Project Manager,Directorate,"
    "Target End Date,Sponsor\n"
    'Usual,"Residents book, and pay. More.",Bo Worker,Environment,31/03/2026,Ann\n',
    "plain.md": "# Without front matter\n\nResidents book and pay. They do.\n\n## Why\n",
    "utf16.csv": "\ufeffTitle\tSummary\nIn UTF-16\tŴ\n".encode("utf-16-le"),
}


def rows(council: TestNode) -> int:
    with council.reading() as session:
        return session.scalar(select(func.count()).select_from(Project)) or 0


def test_ids_are_matched_only_within_a_named_list(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    first, second = write_file(tmp_path, "a.csv", FIRST), write_file(tmp_path, "b.csv", SECOND)
    assert moothall("import", first, second).code == 0
    titles = {"Bin days", "Parking permits", "Taxi licences", "School places"}
    assert titles <= set(projects(council))
    count = rows(council)
    assert "2 already here and the same" in moothall("import", first).out
    named = FIRST.replace("Bin days", "Tree days").replace("Parking permits", "Tree permits")
    register = write_file(tmp_path, "register.csv", named)
    assert "2 saved as a draft" in moothall("import", "--source", "Trees", register).out
    changed = write_file(tmp_path, "later.csv", named.replace("Tree days", "Days of trees"))
    result = moothall("import", "--source", "trees", changed).out
    assert "1 already here but different, not changed without --update" in result
    assert "Days of trees" not in projects(council)
    result = moothall("import", "--update", "--source", "trees", changed).out
    assert "1 updated, 1 already here and the same" in result
    assert "Days of trees" in projects(council)
    assert rows(council) == count + 2
    doubled = write_file(tmp_path, "doubled.csv", named.replace("2,Tree", "1,Other tree"))
    result = moothall("import", "--source", "Trees", doubled).out
    assert "not imported: projects 1, 2 have the same ID or address" in result


@pytest.mark.parametrize(
    "content",
    [
        "Title,Summary,URL\nOne way,S,https://x.example/p\nOther way,S,https://x.example/p\n",
        "Title,Summary\nBook a skip,In the north\nBook a skip,In the south\n",
    ],
)
def test_rows_with_one_address_or_title_are_separate_projects(
    moothall: Command, council: TestNode, tmp_path: Path, content: str
) -> None:
    file, count = write_file(tmp_path, "a.csv", content), rows(council)
    assert "2 projects: 2 saved as a draft" in moothall("import", file).out
    assert rows(council) == count + 2
    assert "2 already here and the same" in moothall("import", "--update", file).out
    # Projects of another file are not matched: they may be different ones.
    other = write_file(tmp_path, "b.csv", content.replace("S,", "Other,").replace("north", "east"))
    result = moothall("import", "--update", other).out
    assert "2 with the title of an existing project, not imported" in result
    assert rows(council) == count + 2


def test_an_interrupted_import_continues_where_it_stopped(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    file = write_file(tmp_path, "a.csv", "Title,Summary\nHalf way,North\nHalf way,South\n")
    moothall("import", file)
    with council.app.app_context(), council.work() as work:
        second = work.session.scalars(select(ImportRecord).order_by(ImportRecord.id.desc())).first()
        assert second is not None
        work.session.delete(second.project)
    result = moothall("import", file).out
    assert "1 saved as a draft, 1 already here and the same" in result


def test_projects_of_other_organisations_are_imported_on_request(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    file, count = write_file(tmp_path, "pipeline.xml", PIPELINE), rows(council)
    result = moothall("import", file)
    assert result.code == 1
    assert (
        "not imported: the file has no projects from Aldermoor Council, only from 12, 15"
        in result.out
    )
    assert rows(council) == count
    result = moothall("import", "--organisation", "12", file)
    assert "saved as a draft: Bin sensors" in result.out
    assert "not imported without --organisation: 1 of other organisations, 15" in result.out
    assert rows(council) == count + 1
    project = projects(council)["Bin sensors"]
    assert (project.details.budget, project.details.technologies) == ("50k-100k", ())
    assert project.brief == "Sensors say **when** bins are full.\n\n## Why"
    # The number of a project of Pipeline means the same in each of its files.
    again = write_file(tmp_path, "again.xml", PIPELINE.replace("Bin sensors", "Sensors in bins"))
    result = moothall("import", "--organisation", "12", again)
    assert "already here but different, not changed without --update: Bin sensors" in result.out


def test_each_file_is_imported_correctly(
    moothall: Command, nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    council = nodes.start("brackwell")
    for name in ("base_url", "database_url", "secret_key"):
        monkeypatch.setenv(f"MOOTHALL_{name.upper()}", str(getattr(council.node.settings, name)))
    result = moothall("import", *(write_file(tmp_path, *each) for each in FILES.items()))
    file_lines = lines(result)
    assert result.code == 0, file_lines
    found = projects(council)
    assert (
        "organisation number 12 has no name: assumed to be your council"
        in file_lines["pipeline-one.xml"]
    )
    assert found["Bin sensors"].phase.value == "alpha"

    jira = found["Book a collection"]
    assert jira.details.tags == ("Digital", "waste", "forms")
    assert str(jira.details.ends_on) == "2025-09-30"
    assert "Report a missed bin" in found
    assert "Issue id" in file_lines["jira.csv"]

    assert found["Book bulky waste"].summary == "A b"
    assert "Café licences" in found
    assert found["From Windows"].brief == "# Why\n\nB"
    assert "<h2>Why</h2>" in found["From Windows"].content
    assert found["Doubled"].summary == "Residents book."
    assert found["Doubled"].details.tags == ("a", "b")
    assert (found["Separated"].phase.value, found["Headed"].details.tags) == ("alpha", ("x",))
    assert found["In UTF-16"].summary == "Ŵ"

    _check_days(found, file_lines["days.csv"])
    _check_publiccode(found["Bin lookup"], file_lines["publiccode.yml"])

    civic = found["Text civic"]
    assert civic.details.tags == ("waste", "forms")
    assert civic.details.contact_email == "bo@example.org"
    assert ("https://friends.example", "Friends") in {(x.url, x.title) for x in civic.details.links}
    assert "- Owner: Aldermoor\n- Partners: Friends" in civic.brief
    assert "not imported: partners: email" in file_lines["civic.json"]
    assert (
        "communityPartner not imported: a single value was expected, but it has parts"
    ) in file_lines["civic.json"]
    assert "dict" not in file_lines["civic.json"]

    usual = found["Usual"]
    assert usual.summary == "Residents book, and pay."
    details = usual.details
    assert (details.contact_name, details.department) == ("Bo Worker", "Environment")
    assert str(details.ends_on) == "2026-03-31"
    assert "not imported: Sponsor" in file_lines["council.csv"]
    plain = found["Without front matter"]
    assert plain.summary == "Residents book and pay."
    assert plain.brief.startswith("Residents book and pay. They do.\n\n## Why")
    assert "no phase: phase set to concept" in file_lines["plain.md"]


def _check_days(found: dict[str, Project], file_lines: str) -> None:
    days = {}
    for title, one in found.items():
        if title.startswith("Days "):
            details = one.details
            dates = str(details.starts_on), str(details.ends_on)
            days[title] = (one.phase.value, *dates, details.budget)
    assert days == {
        "Days one": ("beta", "2025-04-01", "2026-04-01", "50k-100k"),
        "Days two": ("beta", "2025-04-01", "2026-03-31", "100k-250k"),
        "Days three": ("concept", "2025-04-05", "2026-03-31", "50k-100k"),
        "Days four": ("concept", "None", "None", "50k-100k"),
    }
    for note in (
        "start not imported: “04/25/2025” cannot be used",
        "end not imported: “Q1 2025/26” cannot be used",
        "status “in progress” is not a phase: phase set to concept",
    ):
        assert note in file_lines


def _check_publiccode(lookup: Project, file_lines: str) -> None:
    assert lookup.summary == "Looks bins up"
    assert (lookup.details.contact_name, lookup.details.contact_email) == ("", "bo@example.org")
    assert [link.url for link in lookup.details.links] == ["https://github.com/example/lookup"]
    (output,) = lookup.details.outputs
    assert output.licence == ""
    assert [each.name for each in output.adopters] == [f"Council {number}" for number in range(30)]
    for note in (
        "usedBy has 36 values: only the first 30 are imported",
        "not imported: phone",
        ("localisedName “Bin lookup for everyone” not imported: it differs from the name"),
    ):
        assert note in file_lines
    assert file_lines.count("not imported") == 2, "empty values are not mentioned"


@pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True)  # none gets that far
def test_a_file_that_is_not_text_has_an_error_that_names_its_kind(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    files = {
        "book.xlsx": (b"PK\x03\x04 and more", "is a spreadsheet or office document"),
        "book.csv": (b"PK\x03\x04 and more", "is a spreadsheet or office document"),
        "old.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1", "is a spreadsheet or office document"),
        "page.pdf": (b"%PDF-1.7\n", "is a PDF"),
        "half.json": (
            b'{"status": "Beta", "tags": ["\\ud800"]}',
            "cannot be shown",
        ),
        "half.yml": (b'publiccodeYmlVersion: "\\ud800"', "cannot be shown"),
        "half-key.json": (
            b'{"status": "Beta", "tags\\ud800": 1}',
            "cannot be shown",
        ),
        "odd.csv": (b"\xff\xfea\0b", "not UTF-8 text"),
    }
    result = moothall(
        "import", *(write_file(tmp_path, name, each[0]) for name, each in files.items())
    )
    for name, (_, words) in files.items():
        assert words in lines(result)[name], (name, lines(result)[name])


def test_exported_projects_are_recognised_when_they_are_imported(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    odd = (
        "Title,Summary,Phase,Description,Tags,Repository,Website,Budget,Start,Visibility\n"
        '\'=1+1,"+44, “quoted”",Beta,A whole brief.,"a;b, c",https://code.example/a,'
        "https://a.example,£75k,1 May 2026,private\n"
        "''=2,Two,Beta,Also a brief.,,,,,,\nPlain export,S,Live,Brief three.,,,,,,\n"
    )
    assert "3 saved as a draft" in moothall("import", write_file(tmp_path, "odd.csv", odd)).out
    officer = council.visitor("officer")
    with council.work() as work:
        for row in work.session.scalars(select(Project).where(Project.brief.icontains("brief"))):
            projects_of.publish(work, row)
    exported = officer.visit("/projects.csv").data
    file = write_file(tmp_path, "projects.csv", exported)
    before = projects(council)
    result = moothall("import", "--update", file).out
    published = len(exported.decode("utf-8-sig").strip().split("\r\n")) - 1
    assert f"{published} projects: {published} already here and the same" in result
    edited = write_file(tmp_path, "edited.csv", exported.replace(b"Plain export", b"Edited export"))
    assert "1 already here but different" in moothall("import", edited).out
    assert "1 updated" in moothall("import", "--update", edited).out
    after = projects(council)
    assert after.keys() - before.keys() == {"Edited export"}
    assert after["Edited export"].brief == before["Plain export"].brief
    assert after["Edited export"].token == before["Plain export"].token
    # What was changed here since it was exported is left as it is, also within the same moment.
    with council.work() as work:
        rows = select(Project).where(Project.title == "Edited export")
        changed = work.session.scalars(rows).one()
        changed.changed_at = before["Plain export"].changed_at
    assert (
        "1 already here and edited since, not changed" in moothall("import", "--update", file).out
    )
    assert "Edited export" in projects(council)
