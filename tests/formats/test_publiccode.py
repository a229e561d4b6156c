"""publiccode.yml is valid: checked by our own JSON Schema, as no package has an official one, and
by the list of SPDX licences.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from node.councils.service import require_own
from node.feeds.publiccode import CATEGORIES
from node.projects import service
from node.projects.details import Details, LinkKind, Output, ProjectLink
from node.projects.validation import ProjectInput
from node.testing.nodes import TestNode
from node.testing.visitor import Visitor
from tests.formats.mutation import ABSENT, with_wrong

# These tests do not depend on the database.
pytestmark = pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True)

SCHEMA = yaml.safe_load(Path(__file__).with_name("publiccode.yml").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def errors(document: Any) -> list[str]:
    """The rules of the standard that a file breaks."""
    problems = [f"{each.json_path}: {each.message}" for each in VALIDATOR.iter_errors(document)]
    if problems:
        return problems
    unknown = set(document.get("categories", ())) - CATEGORIES
    try:
        canonicalize_license_expression(document["legal"]["license"])
    except InvalidLicenseExpression as error:
        return [str(error)]
    return [f"No such category: {each}" for each in sorted(unknown)]


@pytest.fixture
def document(stranger: Visitor, token: str) -> Any:
    return yaml.safe_load(stranger.visit(f"/projects/{token}/publiccode.yml").data)


def test_export_is_valid(document: Any) -> None:
    assert errors(document) == []
    assert document["categories"] == ["content-management"]
    assert errors([document])


def publish(council: TestNode, *outputs: Output) -> str:
    """Publish a project with as few details as possible. Returns its path."""
    repository = ProjectLink(LinkKind.repository, "https://code.example/a")
    text = ProjectInput("A", "B", "live", "", details=Details(links=(repository,), outputs=outputs))
    with council.app.app_context(), council.work() as work:
        project = service.create(work, require_own(work.session), text)
        service.publish(work, project)
        return f"/projects/{project.token}"


def test_shortest_export_is_valid(council: TestNode, stranger: Visitor) -> None:
    """A licence that SPDX does not list is ignored, and another is spelt as SPDX does."""
    outputs = Output(title="Guide", licence="Free for all"), Output(title="Code", licence="mit")
    path = publish(council, *outputs)
    document = yaml.safe_load(stranger.visit(f"{path}/publiccode.yml").data)
    assert errors(document) == []
    assert "categories" not in document
    assert document["legal"]["license"] == "MIT"
    assert f'href="{path}/publiccode.yml"' in stranger.visit(path).text


def test_project_without_spdx_licence_is_not_exported(council: TestNode, stranger: Visitor) -> None:
    path = publish(council, Output(title="Guide", licence="Free (mostly)"), Output(title="Code"))
    response = stranger.visit(f"{path}/publiccode.yml")
    assert response.status_code == 404
    assert "SPDX identifier" in response.text
    assert "publiccode.yml" not in stranger.visit(path).text


@pytest.mark.parametrize("key", SCHEMA["required"])
def test_missing_mandatory_key_is_detected(document: Any, key: str) -> None:
    del document[key]
    assert f"$: {key!r} is a required property" in errors(document)


DESCRIPTION = {"shortDescription": "x", "longDescription": "x" * 150, "features": ["x"]}
# The place in a real file, and invalid values for it.
WRONG = {
    "description": ({}, []),
    "description.English": (DESCRIPTION,),
    "description.cy": ([], "Biniau"),
    "description.cy.genericName": ("Planner",),
    "description.cy.localisedName": ("", 1),
    "description.en.shortDescription": (ABSENT, "", "two\nlines", "x" * 151, 1),
    "description.en.longDescription": (ABSENT, "x" * 149, "x" * 10_001, 1),
    "description.en.features": (ABSENT, [], "one", [""], [1], ["x" * 101]),
    "publiccodeYmlVersion": ("0.1", 0.5),
    "name": ("", None),
    "url": ("code.example/bins", "git@code.example:bins", 1),
    "landingURL": ("bins", "ftp://x.example/"),
    "platforms": ([], "", [None]),
    "categories": (["bins"], [], "content-management"),
    "usedBy": ([], [""], "Brackwell"),
    "developmentStatus": ("alpha", ["beta"]),
    "softwareType": ("standalone", "softwareAddon"),
    "legal": ("MIT", []),
    "legal.license": (ABSENT, "", 1, "Free for all", "MIT OR", "MIT WITH GPL-2.0-only"),
    "legal.licence": ("MIT",),
    "maintenance": ("internal", []),
    "maintenance.type": (ABSENT, "council"),
    "maintenance.until": ("2030-02-01",),
    "maintenance.contacts": (ABSENT, [], {}, ["Mair Puw"]),
    "maintenance.contacts.0.name": (ABSENT, ""),
    "maintenance.contacts.0.email": ("bins", "a b@c.example", 1),
    "maintenance.contacts.0.affiliation": ("",),
    "maintenance.contacts.0.fax": ("1",),
    "localisation": ([],),
    "localisation.ready": (True,),
    "localisation.localisationReady": (ABSENT, "no"),
    "localisation.availableLanguages": (ABSENT, [], "en", [1], ["english"], ["-GB"]),
    "dependsOn": ([],),
    "dependsOn.closed": ([],),
    "dependsOn.open": ({}, ["Python"]),
    "dependsOn.open.0.name": (ABSENT, ""),
    "dependsOn.open.0.licence": ("MIT",),
    "colour": ("green",),
}


@pytest.mark.parametrize("place", WRONG)
def test_invalid_value_is_detected(document: Any, place: str) -> None:
    for wrong in WRONG[place]:
        assert errors(with_wrong(document, place, wrong)), wrong
