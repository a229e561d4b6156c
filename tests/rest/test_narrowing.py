"""Lists of the API are narrowed down by all that the finder knows."""

from tests.rest.conftest import Program
from tests.rest.test_api import made, problem


def test_lists_are_narrowed_down_as_in_the_finder(writer: Program, stranger: Program) -> None:
    details = {"tags": ["herons"], "starts_on": "2031-02-03", "skills": ["Wading"], "lgsl": 57}
    made(writer, title="Herons in reeds", state="published", details=details)
    made(writer, title="Herons on roofs", state="published", phase="live", details=details)
    council = stranger("GET", "/councils").json["councils"][0]["id"]

    def found(asked: str, path: str = "/projects") -> list[str]:
        return [one["title"] for one in stranger("GET", f"{path}?{asked}").json["projects"]]

    both = ["Herons in reeds", "Herons on roofs"]
    assert found("tag=herons") == both
    assert found(f"q=heron+-roofs&council={council}") == both[:1]
    assert found("skill=wading&phase=live&phase=alpha&lgsl=57") == both[1:]
    assert found("tag=herons&freshness=fresh&starts_from=2031-02-03&starts_to=3/2/2031") == both
    first = stranger("GET", "/projects?tag=herons").json["projects"][0]
    assert (first["freshness"], first["review_on"] > first["confirmed_on"]) == ("fresh", True)
    assert found("tag=herons&starts_from=2031-02-04") == []
    assert found("tag=herons&origin=others") == found("q=%3F") == []
    assert found("tag=herons&updated_from=2999-01-01") == found("tag=herons&show=archived") == []
    draft = made(writer, title="Herons that nobody saw", details=details).json["token"]
    assert problem(writer("GET", "/projects?state=draft&tag=herons"), 400)["fields"]
    drafts = writer("GET", "/projects?state=draft&phase=beta&limit=100").json["projects"]
    assert draft in {one["token"] for one in drafts}
