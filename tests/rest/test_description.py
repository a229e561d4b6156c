"""The OpenAPI description: valid, complete, and true of the responses."""

import re

from openapi_spec_validator import validate

from node.testing.nodes import TestNode
from tests.rest.conftest import Program, create_project


def test_description_is_valid_and_lists_every_endpoint(
    council: TestNode, stranger: Program
) -> None:
    document = stranger("GET", "/openapi.json").json
    assert document["openapi"].startswith("3.1")
    validate(document)
    described = {
        (method, path)
        for path, operations in document["paths"].items()
        for method in operations
        if method != "parameters"
    }
    registered = {
        (method.lower(), re.sub(r"<(?:int:)?(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1")))
        for rule in council.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
        for method in rule.methods or ()
        if method not in {"HEAD", "OPTIONS"}
    }
    assert described == registered


def test_responses_match_description(writer: Program, stranger: Program) -> None:
    create_project(writer, title="Described", state="published")
    schemas = stranger("GET", "/openapi.json").json["components"]["schemas"]
    project = stranger("GET", "/projects?limit=100").json["projects"][-1]
    assert set(project) == set(schemas["ProjectInList"]["properties"])
    project_details = stranger("GET", f"/projects/{project['token']}").json
    assert set(project_details) == set(schemas["Project"]["properties"])
    update = writer("POST", f"/projects/{project['token']}/updates", {"changed": "x"}).json
    assert set(update) == set(schemas["Update"]["properties"])
    assert set(stranger("GET", "/outputs").json["outputs"][0]) == set(
        schemas["Output"]["properties"]
    )
    assert set(project_details["details"]) <= set(schemas["Details"]["properties"])


def test_page_about_api(council: TestNode) -> None:
    page = council.visitor().visit("/api")
    assert "PATCH /projects/{token}" in page.text
    assert "Needs the write:projects scope." in page.text
    welsh = council.visitor().visit("/api?lang=cy").text
    assert "Diweddariadau am brosiect, y diweddaraf yn gyntaf" in welsh
    assert "Mae angen y cwmpas write:projects." in welsh
    assert "Needs the" not in welsh
