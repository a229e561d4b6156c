"""Lists of the API have the filters of the search page."""

from tests.rest.conftest import Program, create_project, problem


def test_lists_have_filters_of_search_page(writer: Program, stranger: Program) -> None:
    details = {"tags": ["herons"], "starts_on": "2031-02-03", "skills": ["Wading"], "lgsl": 57}
    create_project(writer, title="Herons in reeds", state="published", details=details)
    create_project(
        writer, title="Herons on roofs", state="published", phase="live", details=details
    )
    council = stranger("GET", "/councils").json["councils"][0]["id"]

    def titles(query: str, path: str = "/projects") -> list[str]:
        return [project["title"] for project in stranger("GET", f"{path}?{query}").json["projects"]]

    both = ["Herons in reeds", "Herons on roofs"]
    assert titles("tag=herons") == both
    assert titles(f"q=heron+-roofs&council={council}") == both[:1]
    assert titles("skill=wading&phase=live&phase=alpha&lgsl=57") == both[1:]
    assert titles("tag=herons&freshness=fresh&starts_from=2031-02-03&starts_to=3/2/2031") == both
    first = stranger("GET", "/projects?tag=herons").json["projects"][0]
    assert (first["freshness"], first["review_on"] > first["confirmed_on"]) == ("fresh", True)
    assert titles("tag=herons&starts_from=2031-02-04") == []
    assert titles("tag=herons&origin=others") == titles("q=%3F") == []
    assert titles("tag=herons&updated_from=2999-01-01") == titles("tag=herons&show=archived") == []
    draft = create_project(writer, title="Herons that nobody saw", details=details).json["token"]
    assert problem(writer("GET", "/projects?state=draft&tag=herons"), 400)["fields"]
    drafts = writer("GET", "/projects?state=draft&phase=beta&limit=100").json["projects"]
    assert draft in {project["token"] for project in drafts}
